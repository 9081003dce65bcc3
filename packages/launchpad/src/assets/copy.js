// @ts-check
const shownMs = 2_500;

/** Copies a text, and says on its button how that went. @param {HTMLElement} button @param {string} text */
export async function copyFrom(button, text) {
  // Pressed again before its own words are back, it says the same.
  button.dataset.label ??= button.textContent ?? "";
  button.dataset.name ??= button.getAttribute("aria-label") ?? "";
  button.setAttribute("aria-live", "polite");
  button.removeAttribute("aria-label");
  const isCopied = await write(text);
  button.textContent = isCopied ? "Copied" : "Not copied: mark it and copy it by hand";
  setTimeout(() => {
    button.textContent = button.dataset.label ?? "";
    if (button.dataset.name) button.setAttribute("aria-label", button.dataset.name);
  }, shownMs);
}

/** Browsers have no clipboard for pages that came by plain http, and may refuse it. @param {string} text */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** The buttons that copy what stands in an element of the page. */
export function startCopying() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!(button instanceof HTMLElement)) continue;
    const source = document.getElementById(button.dataset.copy ?? "");
    button.addEventListener("click", () => void copyFrom(button, source?.textContent ?? ""));
  }
}
