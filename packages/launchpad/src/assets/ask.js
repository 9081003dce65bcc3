// @ts-check
import { copyCurl } from "./copy.js";
import { build, make } from "./elements.js";
import { lines } from "./stream.js";

/** @import { Tree } from "./elements.js" */
/** @typedef {{ said: string[], way?: { href: string, label: string } }} Problem */
/** @typedef {{ question: string, answer: Tree | null, behind: Tree | null, chain: Tree | null, problem: Problem | null }} Turn */
/** @typedef {{ id: string | null, title: string, turns: Turn[] }} Conversation */

/** @param {HTMLElement} root */
export function startAsking(root) {
  /** @template {Element} E @param {string} id @param {new () => E} type @returns {E} */
  const byId = (id, type) => {
    const found = document.getElementById(id);
    if (found instanceof type) return found;
    throw new Error(`the page has no ${id}`);
  };
  const composer = byId("composer", HTMLFormElement);
  const input = byId("question", HTMLTextAreaElement);
  const send = byId("send", HTMLButtonElement);
  const stop = byId("stop", HTMLButtonElement);
  const turnsAt = byId("turns", HTMLElement);
  const status = byId("status", HTMLElement);
  const welcome = byId("welcome", HTMLElement);
  const list = byId("conversation-list", HTMLElement);
  const appChoice = byId("app", HTMLElement);
  const chosenApp = () =>
    appChoice instanceof HTMLSelectElement || appChoice instanceof HTMLInputElement ? appChoice.value : "";
  // One session's conversations; another session in the same tab starts with none.
  const storageKey = `conversations-${root.dataset.owner}`;
  const pendingKey = "question-on-its-way";

  /** @type {Conversation[]} */
  let conversations = restore();
  /** @type {Conversation} */
  let current = { id: null, title: "", turns: [] };
  /** @type {AbortController | undefined} */
  let running;

  function restore() {
    const others = Object.keys(sessionStorage).filter((key) => key.startsWith("conversations-") && key !== storageKey);
    for (const key of others) sessionStorage.removeItem(key);
    return JSON.parse(sessionStorage.getItem(storageKey) ?? "[]");
  }

  function keep() {
    if (!conversations.includes(current) && current.turns.length > 0)
      conversations = [current, ...conversations].slice(0, 20);
    try {
      sessionStorage.setItem(storageKey, JSON.stringify(conversations));
    } catch {
      // Full: the list is a convenience, the answers are on the page.
    }
    showList();
  }

  function showList() {
    list.replaceChildren(
      ...conversations.map((conversation) => {
        const button = make("button", { type: "button" }, conversation.title);
        if (conversation === current) button.setAttribute("aria-current", "true");
        button.addEventListener("click", () => show(conversation));
        return make("li", {}, button);
      }),
    );
  }

  /** @param {Conversation} conversation */
  function show(conversation) {
    running?.abort();
    current = conversation;
    turnsAt.replaceChildren(...conversation.turns.map((turn) => turnView(turn).element));
    welcome.hidden = conversation.turns.length > 0;
    showList();
    input.focus();
  }

  /** @param {Turn} turn */
  function turnView(turn) {
    const answer = make("div", { class: "answer" });
    const behind = make("div", {});
    const problem = make("div", { class: "problem", role: "alert" });
    const chain = make("div", {});
    const retry = make("button", { type: "button", class: "plain" }, "Ask again");
    const curl = make("button", { type: "button", class: "plain" }, "Copy as curl");
    const tools = make("div", { class: "tools" }, retry, curl);
    const element = make(
      "article",
      { class: "turn", "aria-label": turn.question },
      make("h2", { class: "question" }, turn.question),
      answer,
      problem,
      tools,
      behind,
      chain,
    );
    retry.addEventListener("click", () => void run(turn.question));
    curl.addEventListener("click", () => void copyCurl(turn.question, root.dataset.publicUrl ?? "", curl));
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

  /** @param {string} question */
  async function run(question) {
    if (running !== undefined) return;
    running = new AbortController();
    /** @type {Turn} */
    const turn = { question, answer: null, behind: null, chain: null, problem: null };
    if (current.turns.length === 0) current.title = question;
    current.turns.push(turn);
    const view = turnView(turn);
    view.element.classList.add("pending");
    turnsAt.append(view.element);
    welcome.hidden = true;
    send.hidden = true;
    stop.hidden = false;
    status.textContent = "Answering…";
    view.element.scrollIntoView({ block: "start" });
    let [traceId, hasAnswered] = ["", false];
    try {
      const response = await fetch("/page/ask", {
        method: "POST",
        signal: running.signal,
        headers: { "content-type": "application/json", "x-voicebox-app": chosenApp() },
        body: JSON.stringify({ query: question, conversation_id: current.id }),
      });
      hasAnswered = true;
      traceId = response.headers.get("traceparent")?.split("-")[1] ?? "";
      // Chromium lists a body that is read piece by piece as aborted, unless a copy is read as a whole.
      if (response.ok)
        void response
          .clone()
          .text()
          .catch(() => "");
      if (response.ok && response.body !== null) await read(response.body, turn, view.update);
      else turn.problem = await refusal(response, question);
    } catch {
      const away = "Launchpad cannot be reached. Your question was not answered; wait a moment and try again.";
      const broken = "The connection to Launchpad broke off before the answer was complete. Try again.";
      turn.problem = { said: [running.signal.aborted ? "You stopped this answer." : hasAnswered ? broken : away] };
    }
    running = undefined;
    send.hidden = false;
    stop.hidden = true;
    view.element.classList.remove("pending");
    status.textContent = turn.problem === null ? "The answer is complete." : "";
    view.update();
    if (traceId !== "") turn.chain = await fetchChain(traceId);
    view.update();
    view.element.scrollIntoView({ block: "nearest" });
    keep();
  }

  /** @param {ReadableStream<Uint8Array>} body @param {Turn} turn @param {() => void} update */
  async function read(body, turn, update) {
    let isDrawn = true;
    for await (const line of lines(body)) {
      current.id = line.conversation_id ?? current.id;
      turn.answer = line.answer;
      turn.behind = line.behind;
      turn.problem = line.error === null ? null : { said: [line.error.message] };
      if (!isDrawn) continue;
      isDrawn = false;
      // Drawn at most once a frame, however fast the lines come.
      requestAnimationFrame(() => {
        isDrawn = true;
        update();
      });
    }
    update();
  }

  /** Where signing in again helps, the question is kept. @param {Response} response @param {string} question @returns {Promise<Problem>} */
  async function refusal(response, question) {
    const body = await response.json().catch(() => ({}));
    const ended = body.error === "token_absent" ? "Your session has ended." : undefined;
    const said = [ended ?? body.message ?? `The question was not answered (${response.status}).`];
    if (response.status === 403) return { said: [...said, "If you need this, ask your administrator to let you in."] };
    if (response.status !== 401) return { said };
    sessionStorage.setItem(pendingKey, question);
    const again = { href: "/login?return_to=%2F%3Fresume%3D1", label: "Sign in again; your question is kept" };
    const stepUp = { href: body.login_url, label: "Confirm it is you; your question is kept" };
    return { said, way: body.login_url === undefined ? again : stepUp };
  }

  /** @param {string} traceId @returns {Promise<Tree | null>} */
  async function fetchChain(traceId) {
    const response = await fetch(`/page/chain/${traceId}`).catch(() => undefined);
    return response?.ok === true ? response.json() : null;
  }

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = input.value.trim();
    if (question === "" || running !== undefined) return;
    input.value = "";
    void run(question);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });
  stop.addEventListener("click", () => running?.abort());
  appChoice.addEventListener("change", () => {
    for (const examples of document.querySelectorAll(".examples")) {
      examples.toggleAttribute("hidden", examples.getAttribute("data-app") !== chosenApp());
    }
  });
  for (const button of document.querySelectorAll("[data-example]")) {
    button.addEventListener("click", () => void run(button.getAttribute("data-example") ?? ""));
  }
  byId("new-conversation", HTMLButtonElement).addEventListener("click", () => {
    show({ id: null, title: "", turns: [] });
  });

  showList();
  const pending = sessionStorage.getItem(pendingKey);
  if (pending !== null && new URLSearchParams(location.search).has("resume")) {
    sessionStorage.removeItem(pendingKey);
    history.replaceState(null, "", "/");
    void run(pending);
  } else {
    input.focus();
  }
}
