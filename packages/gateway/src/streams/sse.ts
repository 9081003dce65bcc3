import { StringDecoder } from "node:string_decoder";

/** No event of a model is longer; an upstream that never ends one is cut. */
const maxEventCharacters = 16 * 1024 * 1024;

/** The bytes are not an event stream. */
class EventError extends Error {
  override readonly name = "EventError";
}

/**
 * Reads server-sent events (WHATWG HTML section 9.2) from bytes in any split.
 * @param onEvent the event's name (`message` when it has none), its data, and its text as it came, blank line included
 */
export function createSseReader(onEvent: (name: string, data: string, raw: string) => void) {
  const decoder = new StringDecoder("utf8");
  let held = "";
  /** The last of what is held: as much as may be part of an event's end. */
  let tail = "";
  let begun = false;

  const emit = (raw: string, isWhole: (data: string) => boolean = always): boolean => {
    let name = "message";
    let data: string | undefined;
    for (const line of raw.split(/\r\n|\n|\r/)) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.charCodeAt(colon + 1) === 32 ? line.slice(colon + 2) : line.slice(colon + 1);
      const field = line.slice(0, colon);
      if (field === "data") data = data === undefined ? value : `${data}\n${value}`;
      else if (field === "event") name = value;
    }
    if (data === undefined) return silentLine.test(raw);
    if (!isWhole(data)) return false;
    onEvent(name, data, raw);
    return true;
  };
  return {
    /** @throws EventError */
    push(chunk: Buffer): void {
      const text = decoder.write(chunk);
      if (held !== "" && createSearch(tail + text)(0) < 0) {
        // What is held is not looked through again with each part of a long event.
        held += text;
        tail = (tail + text).slice(-longestEnd + 1);
        if (held.length > maxEventCharacters) throw new EventError("an event does not end");
        return;
      }
      held += text;
      if (!begun && held !== "") {
        begun = true;
        // A byte order mark is no part of the first field's name (section 9.2.5).
        if (held.charCodeAt(0) === byteOrderMark) held = held.slice(1);
      }
      const eventEnd = createSearch(held);
      let begin = 0;
      for (let end = eventEnd(0); end >= 0; end = eventEnd(begin)) {
        emit(held.slice(begin, end));
        begin = end;
      }
      held = held.slice(begin);
      tail = held.slice(-longestEnd + 1);
      if (held.length > maxEventCharacters) throw new EventError("an event does not end");
    },
    /**
     * Nothing more comes. What is held is an event, too, when its data is whole: some servers leave out the blank line
     * behind the last one.
     * @returns what was no event, empty when the stream ended as it should
     */
    end(): string {
      const rest = (held + decoder.end()).trim();
      held = "";
      return rest === "" || emit(`${rest}\n\n`, isWholeData) ? "" : rest;
    },
  };
}

const byteOrderMark = 0xfeff;
/** Two line breaks of two characters. */
const longestEnd = 4;

const always = (): boolean => true;

/** A model's events are JSON, but for OpenAI's last. */
function isWholeData(data: string): boolean {
  if (data === "[DONE]") return true;
  try {
    JSON.parse(data);
    return true;
  } catch {
    return false;
  }
}

/** A comment or a field that says nothing by itself. */
const silentLine = /^(?::|(?:event|id|retry)(?::|$))/;

/**
 * Finds where the event ends that begins at a place, its blank line included; -1 while it is not whole. How the text breaks
 * its lines is looked up once: for each event anew, it would be read to its end as often as it has events.
 */
function createSearch(text: string): (from: number) => number {
  if (!text.includes("\r")) {
    return (from) => {
      const newline = text.indexOf("\n\n", from);
      return newline < 0 ? -1 : newline + 2;
    };
  }
  // A carriage return at the very end may be half of a line break.
  const blankLine = /(?:\r\n|\n|\r(?!\n|$))(?:\r\n|\n|\r(?!$))/g;
  return (from) => {
    blankLine.lastIndex = from;
    return blankLine.test(text) ? blankLine.lastIndex : -1;
  };
}
