// @ts-check
import { copyFrom } from "./copy.js";
import { build, make } from "./elements.js";

/** @import { Turn } from "./kept.js" */

/**
 * A question, its answer, and what is behind it.
 * @param {Turn} turn @param {{ again: (question: string) => void, curl: string }} options
 */
export function turnView(turn, { again, curl }) {
  const answer = make("div", { class: "answer" });
  const behind = make("div", {});
  const problem = make("div", { class: "problem", role: "alert" });
  const chain = make("div", {});
  const retry = make("button", { type: "button", class: "plain" }, "Ask again");
  const copy = make("button", { type: "button", class: "plain" }, "Copy as curl");
  const tools = make("div", { class: "tools" }, retry, copy);
  const element = make(
    "article",
    { class: "turn", "aria-label": turn.question },
    make("h2", { class: "question", dir: "auto" }, turn.question),
    answer,
    problem,
    tools,
    behind,
    chain,
  );
  retry.addEventListener("click", () => again(turn.question));
  const body = JSON.stringify({ query: turn.question }).replaceAll("'", "'\\''");
  copy.addEventListener("click", () => void copyFrom(copy, `${curl}'${body}'`));
  const update = () => {
    answer.replaceChildren(...(turn.answer === null ? [] : [build(turn.answer)]));
    behind.replaceChildren(...(turn.behind === null ? [] : [build(turn.behind)]));
    chain.replaceChildren(...(turn.chain === null ? [] : [build(turn.chain)]));
    const { said = [], way } = turn.problem ?? {};
    problem.hidden = said.length === 0;
    // Said once: an alert that is written again is read out again.
    if (problem.hasChildNodes()) return;
    problem.append(...said.map((text) => make("p", {}, text)));
    if (way !== undefined) problem.append(make("a", { class: "button", href: way.href }, way.label));
  };
  update();
  return { element, update };
}

const quietSeconds = 3;
const toldEverySeconds = 30;

/** Shows for how long an answer has been awaited, and tells it now and then. @param {HTMLElement} element @param {HTMLElement} status */
export function waitingClock(element, status) {
  const begun = Date.now();
  let told = 0;
  status.textContent = "Answering…";
  return setInterval(() => {
    const seconds = Math.floor((Date.now() - begun) / 1000);
    if (seconds >= quietSeconds) element.dataset.waited = `${seconds} s`;
    const due = Math.floor(seconds / toldEverySeconds) * toldEverySeconds;
    if (due === told) return;
    told = due;
    status.textContent = `Still answering, after ${due} s.`;
  }, 1000);
}
