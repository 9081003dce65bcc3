// @ts-check
/** What every page's script begins with. */
import { startAsking } from "./ask.js";
import { startCopying } from "./copy.js";
import { sendOnce } from "./forms.js";
import { forget } from "./kept.js";

/** @param {number} seconds */
function secondsLeft(seconds) {
  const left = Math.floor(seconds);
  if (left <= 0) return "expired";
  if (left < 60) return `${left} s`;
  if (left < 3600) return `${Math.floor(left / 60)} min ${left % 60} s`;
  return `${Math.floor(left / 3600)} h ${Math.floor((left % 3600) / 60)} min`;
}

setInterval(() => {
  for (const element of document.querySelectorAll("[data-expires]")) {
    element.textContent = secondsLeft(Number(element.getAttribute("data-expires")) - Date.now() / 1000);
  }
}, 1000);

const ask = document.querySelector("[data-page=ask]");
if (ask instanceof HTMLElement) startAsking(ask);

// Who signs out leaves nothing behind in this tab.
for (const form of document.querySelectorAll("form[action='/logout']")) form.addEventListener("submit", () => forget());

sendOnce();
startCopying();
