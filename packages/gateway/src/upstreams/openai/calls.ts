import { isObject, type JsonObject } from "../../dialects/body.ts";
import { isText } from "./answer.ts";

/** The calls of one answer, told one after the other: no dialect can tell two at a time. */
export interface CallTeller {
  begin(id: unknown, name: string): void;
  input(json: string): void;
}

/** A call of which parts may still come. What came of it before its turn is held. */
interface Call {
  readonly id: unknown;
  readonly name: string;
  readonly follow: (json: string) => void;
  readonly isWhole: () => boolean;
  held: string;
  over: boolean;
}

/** No call's arguments are longer. */
const maxHeldCharacters = 16 * 1024 * 1024;

/**
 * Puts the parts of parallel calls in order. Nearly every server sends one call after the other, and each part is told as
 * it comes; some send a part of this and a part of that: then the first is told, and the others wait until it is whole.
 */
export function createCallOrder(tell: CallTeller) {
  /** In the order in which they began; the first is told as it comes. */
  let open: Call[] = [];
  const newest = new Map<unknown, Call>();
  let held = 0;

  const tellFirst = (): void => {
    const [call] = open;
    if (call === undefined) return;
    tell.begin(call.id, call.name);
    if (call.held !== "") tell.input(call.held);
    held -= call.held.length;
    call.held = "";
  };
  const next = (): void => {
    const over = open.shift();
    if (over !== undefined) over.over = true;
    tellFirst();
  };
  const advance = (): void => {
    while (open.length > 1 && open[0]?.isWhole() === true) next();
  };
  const begin = (id: unknown, name: string): Call => {
    const call: Call = { id, name, ...createFollower(), held: "", over: false };
    open.push(call);
    if (open.length === 1) tellFirst();
    advance();
    return call;
  };
  return {
    /** @throws Error for a part of a call that is over, and for more than any call says */
    take(part: JsonObject): void {
      const { name, arguments: json }: JsonObject = isObject(part.function) ? part.function : {};
      const place = part.index ?? 0;
      let call = newest.get(place);
      // Some servers number every call 0, and some send every part under a new id: a call begins with id and name.
      if (call === undefined || (isText(part.id) && isText(name) && part.id !== call.id)) {
        call = begin(part.id, String(name ?? ""));
        newest.set(place, call);
      }
      if (!isText(json)) return;
      if (call.over && json.trim() === "") return;
      if (call.over) throw new Error("a part of a call came behind its end");
      call.follow(json);
      if (call === open[0]) {
        tell.input(json);
        advance();
      } else {
        call.held += json;
        held += json.length;
        if (held > maxHeldCharacters) throw new Error("a call does not end");
      }
    },
    /** No part of any call comes any more. */
    end(): void {
      const rest = open;
      open = [];
      for (const call of rest.slice(1)) {
        tell.begin(call.id, call.name);
        if (call.held !== "") tell.input(call.held);
      }
      for (const call of rest) call.over = true;
      held = 0;
    },
  };
}

const [quote, backslash] = [34, 92];
const opening = new Set([91, 123]);
const closing = new Set([93, 125]);

/** Follows an object of JSON in its parts up to its end, each character once. */
function createFollower(): Pick<Call, "follow" | "isWhole"> {
  let depth = 0;
  let begun = false;
  let inText = false;
  let escaped = false;
  return {
    follow(json) {
      for (let at = 0; at < json.length; at += 1) {
        const code = json.charCodeAt(at);
        if (inText) {
          if (escaped) escaped = false;
          else if (code === backslash) escaped = true;
          else if (code === quote) inText = false;
        } else if (code === quote) inText = true;
        else if (opening.has(code)) {
          depth += 1;
          begun = true;
        } else if (closing.has(code)) depth -= 1;
      }
    },
    isWhole: () => begun && depth <= 0,
  };
}
