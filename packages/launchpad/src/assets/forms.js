// @ts-check
const patienceMs = 10_000;

/** A form that changes something is sent once, however often its button is pressed while the answer is awaited. */
export function sendOnce() {
  /** @type {Set<HTMLFormElement>} */
  const sent = new Set();
  document.addEventListener("submit", (event) => {
    if (!(event.target instanceof HTMLFormElement) || event.target.method !== "post") return;
    const form = event.target;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    // Whoever stopped waiting may try again.
    setTimeout(() => sent.delete(form), patienceMs);
  });
  addEventListener("pageshow", () => sent.clear());
}
