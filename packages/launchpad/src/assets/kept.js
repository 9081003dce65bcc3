// @ts-check
/** What this tab keeps of one person's questions, so that nothing typed is lost by leaving, loading again or signing in again. */

/** @import { Tree } from "./elements.js" */
/** @typedef {{ said: string[], way?: { href: string, label: string } }} Problem */
/** @typedef {{ question: string, answer: Tree | null, behind: Tree | null, chain: Tree | null, problem: Problem | null }} Turn */
/** `begun` tells conversations apart: not each has an `id`, which comes with the first answer. */
/** @typedef {{ id: string | null, begun: number, title: string, app: string, turns: Turn[] }} Conversation */
/** @typedef {{ question: string, begun: number }} Waiting */

const mostConversations = 20;

/** Forgets what is kept, of everybody; all of it, or all but one person's. @param {string} [owner] */
export function forget(owner) {
  const others = Object.keys(sessionStorage).filter((key) => owner === undefined || !key.endsWith(` ${owner}`));
  for (const key of others) sessionStorage.removeItem(key);
}

/** @param {string} owner */
export function keptFor(owner) {
  forget(owner);
  const [conversationsKey, draftKey, waitingKey] = ["conversations", "draft", "waiting"].map(
    (name) => `${name} ${owner}`,
  );

  /** @param {string} key @param {string} text */
  function write(key, text) {
    try {
      sessionStorage.setItem(key, text);
      return true;
    } catch {
      return false;
    }
  }

  return {
    /** @returns {Conversation[]} */
    conversations: () => JSON.parse(sessionStorage.getItem(conversationsKey) ?? "[]"),
    /** As many as there is room for, the latest first. @param {Conversation[]} conversations */
    keep(conversations) {
      for (let count = mostConversations; count > 0; count = Math.floor(count / 2)) {
        if (write(conversationsKey, JSON.stringify(conversations.slice(0, count)))) return;
      }
    },
    draft: () => sessionStorage.getItem(draftKey) ?? "",
    /** @param {string} text */
    keepDraft: (text) => write(draftKey, text),
    /** A question that waits for its sender to sign in again. @param {Waiting} waiting */
    wait: (waiting) => write(waitingKey, JSON.stringify(waiting)),
    /** Given once. @returns {Waiting | null} */
    takeWaiting() {
      const waiting = JSON.parse(sessionStorage.getItem(waitingKey) ?? "null");
      sessionStorage.removeItem(waitingKey);
      return waiting;
    },
  };
}
