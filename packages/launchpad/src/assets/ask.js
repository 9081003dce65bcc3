// @ts-check
import { answerInto, fetchChain, unfinished } from "./answering.js";
import { make } from "./elements.js";
import { keptFor } from "./kept.js";
import { turnView, waitingClock } from "./turn.js";

/** @import { Conversation, Turn } from "./kept.js" */

/** @template {Element} E @param {string} id @param {new () => E} type @returns {E} */
function byId(id, type) {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${id}`);
}

/** @param {HTMLElement} root */
export function startAsking(root) {
  const composer = byId("composer", HTMLFormElement);
  const input = byId("question", HTMLTextAreaElement);
  const send = byId("send", HTMLButtonElement);
  const stop = byId("stop", HTMLButtonElement);
  const turnsAt = byId("turns", HTMLElement);
  const status = byId("status", HTMLElement);
  const welcome = byId("welcome", HTMLElement);
  const heading = byId("conversation-title", HTMLElement);
  const list = byId("conversation-list", HTMLElement);
  const choice = /** @type {HTMLSelectElement | HTMLInputElement} */ (byId("app", HTMLElement));
  const kept = keptFor(root.dataset.owner ?? "");
  const curl = root.dataset.curl ?? "";

  let conversations = kept.conversations();
  let current = newConversation();
  /** @type {AbortController | undefined} */
  let running;

  /** @returns {Conversation} */
  function newConversation() {
    return { id: null, begun: Date.now(), title: "", app: choice.value, turns: [] };
  }

  function keep() {
    kept.keep(conversations);
    list.replaceChildren(
      ...conversations.map((conversation) => {
        const button = make("button", { type: "button", dir: "auto" }, conversation.title);
        if (conversation === current) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => {
          show(conversation);
          input.focus();
        });
        return make("li", {}, button);
      }),
    );
  }

  /** @param {Conversation} conversation */
  function show(conversation) {
    running?.abort();
    current = conversation;
    turnsAt.replaceChildren(...conversation.turns.map((turn) => viewOf(turn).element));
    if ([...choice.children].some((option) => option.getAttribute("value") === conversation.app)) {
      choice.value = conversation.app;
      choice.dispatchEvent(new Event("change"));
    }
    showTitle();
    keep();
  }

  /** The title of what is shown, for the tab and its history; which it is comes back with the way back. */
  function showTitle() {
    const isNew = current.turns.length === 0;
    welcome.hidden = !isNew;
    heading.hidden = isNew;
    heading.textContent = current.title;
    document.title = `${isNew ? "" : `${current.title} · `}Ask · Onbehalf`;
    history.replaceState({ begun: current.begun }, "");
  }

  /** @param {Turn} turn */
  const viewOf = (turn) => turnView(turn, { again: (question) => void run(question), curl });

  /** @param {boolean} isRunning */
  function switchButtons(isRunning) {
    const [gone, come] = isRunning ? [send, stop] : [stop, send];
    const at = document.activeElement;
    come.hidden = false;
    gone.hidden = true;
    // Whoever was on what is gone now would be at the top of the page with the next key.
    if (at instanceof HTMLElement && !at.checkVisibility()) come.focus({ preventScroll: true });
  }

  /** @param {string} question */
  async function run(question) {
    if (running !== undefined) return;
    running = new AbortController();
    const conversation = current;
    conversation.app = choice.value;
    /** @type {Turn} */
    const turn = { question, answer: null, behind: null, chain: null, problem: unfinished };
    if (conversation.turns.length === 0) conversation.title = shortened(question);
    conversation.turns.push(turn);
    if (!conversations.includes(conversation)) conversations = [conversation, ...conversations];
    keep();
    turn.problem = null;
    const view = viewOf(turn);
    view.element.classList.add("pending");
    turnsAt.append(view.element);
    showTitle();
    switchButtons(true);
    const clock = waitingClock(view.element, status);
    view.element.scrollIntoView({ block: "start" });
    const traceId = await answerInto(conversation, turn, {
      signal: running.signal,
      update: view.update,
      wait: () => kept.wait({ question, begun: conversation.begun }),
    });
    running = undefined;
    clearInterval(clock);
    view.element.classList.remove("pending");
    status.textContent = turn.problem === null ? "The answer is complete." : "";
    view.update();
    switchButtons(false);
    keep();
    turn.chain = await fetchChain(traceId);
    view.update();
    keep();
  }

  /** Asks what was kept while its sender signed in again, in its conversation, in place of the try that was refused. */
  function resume() {
    const waiting = new URLSearchParams(location.search).has("resume") ? kept.takeWaiting() : null;
    if (waiting === null) return false;
    history.replaceState(null, "", "/");
    const conversation = conversations.find(({ begun }) => begun === waiting.begun);
    if (conversation?.turns.at(-1)?.question === waiting.question) conversation.turns.pop();
    show(conversation ?? newConversation());
    void run(waiting.question);
    return true;
  }

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = input.value.trim();
    if (question === "" || running !== undefined) return;
    input.value = "";
    kept.keepDraft("");
    void run(question);
  });
  input.addEventListener("input", () => {
    kept.keepDraft(input.value);
    checkLength(input);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });
  stop.addEventListener("click", () => running?.abort());
  choice.addEventListener("change", () => {
    for (const examples of document.querySelectorAll(".examples")) {
      examples.toggleAttribute("hidden", examples.getAttribute("data-app") !== choice.value);
    }
  });
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => void run(button.getAttribute("data-example") ?? ""));
  }
  byId("new-conversation", HTMLButtonElement).addEventListener("click", () => {
    show(newConversation());
    input.focus();
  });

  // A link to where one is already may keep the state of the history: by a link one comes for something new.
  for (const link of document.querySelectorAll("a[href='/']")) {
    link.addEventListener("click", () => history.replaceState(null, ""));
  }

  input.value = kept.draft();
  checkLength(input);
  if (resume()) return;
  show(conversations.find(({ begun }) => begun === history.state?.begun) ?? current);
  input.focus({ preventScroll: true });
}

/** @param {HTMLTextAreaElement} input */
function checkLength(input) {
  const [longest, length] = [Number(input.dataset.longest), input.value.trim().length];
  const problem = `A question may have ${longest} characters; this has ${length}. Shorten it.`;
  input.setCustomValidity(length > longest ? problem : "");
}

/** A question as a title, whatever signs it is made of. @param {string} question */
function shortened(question) {
  const signs = [...question.replaceAll(/\s+/g, " ")];
  return signs.length <= 80 ? signs.join("") : `${signs.slice(0, 79).join("")}…`;
}
