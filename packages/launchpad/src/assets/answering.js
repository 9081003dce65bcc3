// @ts-check
/** A question on its way: asks the server, and writes what comes back into its turn. */
import { lines } from "./stream.js";

/** @import { Tree } from "./elements.js" */
/** @import { Conversation, Problem, Turn } from "./kept.js" */

/** What stands at a turn until its answer is complete; left there, it says why there is none. @type {Problem} */
export const unfinished = { said: ["The page was left before the answer was complete. Ask again."] };

/**
 * @param {Conversation} conversation @param {Turn} turn
 * @param {{ signal: AbortSignal, update: () => void, wait: () => void }} options `wait`: the question will be asked after signing in
 */
export async function answerInto(conversation, turn, { signal, update, wait }) {
  let [traceId, hasAnswered] = ["", false];
  try {
    const response = await fetch("/page/ask", {
      method: "POST",
      signal,
      headers: { "content-type": "application/json", "x-voicebox-app": conversation.app },
      body: JSON.stringify({ query: turn.question, conversation_id: conversation.id }),
    });
    hasAnswered = true;
    traceId = response.headers.get("traceparent")?.split("-")[1] ?? "";
    // Chromium lists a body that is read piece by piece as aborted, unless a copy is read as a whole.
    if (response.ok)
      void response
        .clone()
        .text()
        .catch(() => "");
    if (response.ok && response.body !== null) await read(response.body, conversation, turn, update);
    else turn.problem = await refusal(response, wait);
  } catch {
    const away = "Launchpad cannot be reached. Your question was not answered; wait a moment and try again.";
    const broken = "The connection to Launchpad broke off before the answer was complete. Try again.";
    turn.problem = { said: [signal.aborted ? "You stopped this answer." : hasAnswered ? broken : away] };
  }
  return traceId;
}

/** @param {ReadableStream<Uint8Array>} body @param {Conversation} conversation @param {Turn} turn @param {() => void} update */
async function read(body, conversation, turn, update) {
  let isDrawn = true;
  for await (const line of lines(body)) {
    conversation.id = line.conversation_id ?? conversation.id;
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
}

/** Where signing in again helps, the question is kept. @param {Response} response @param {() => void} wait @returns {Promise<Problem>} */
async function refusal(response, wait) {
  const body = await response.json().catch(() => ({}));
  const ended = body.error === "token_absent" ? "Your session has ended." : undefined;
  const said = [ended ?? body.message ?? `The question was not answered (${response.status}). Try again.`];
  if (response.status === 403) return { said: [...said, "If you need this, ask your administrator to let you in."] };
  if (response.status !== 401) return { said };
  wait();
  const again = { href: "/login?return_to=%2F%3Fresume%3D1", label: "Sign in again; your question is kept" };
  const stepUp = { href: body.login_url, label: "Confirm it is you; your question is kept" };
  return { said, way: body.login_url === undefined ? again : stepUp };
}

/** @param {string} traceId @returns {Promise<Tree | null>} */
export async function fetchChain(traceId) {
  if (traceId === "") return null;
  const response = await fetch(`/page/chain/${traceId}`).catch(() => undefined);
  return response?.ok === true ? response.json() : null;
}
