import { createInputReader, customInput } from "./custom-input.ts";
import { type Called, callItem, type EndStatus, itemId, messageItem, reasoningItem } from "./items.ts";

type Emit = (type: string, payload: Record<string, unknown>) => void;

/** An item of the output while it comes: it has told of itself, and tells of each piece and of its end. */
export interface OpenItem {
  readonly kind: "message" | "reasoning" | "call";
  /** The upstream's number of the block that the item is made of. */
  readonly block: number;
  append(delta: string): void;
  sign(signature: string): void;
  /** @returns the whole item */
  close(status: EndStatus): unknown;
}

interface ItemPlace {
  readonly block: number;
  /** Unique part of every id of one answer. */
  readonly id: string;
  /** Which item of the output it is. */
  readonly index: number;
}

const noSignature = (): void => {};

/** An item of text that is being written; its events begin at once. */
export function openMessage(emit: Emit, { block, id, index }: ItemPlace): OpenItem {
  const place = { item_id: itemId(id, index, "message"), output_index: index, content_index: 0 };
  let text = "";
  const part = () => ({ type: "output_text", text, annotations: [], logprobs: [] });
  emit("response.output_item.added", { output_index: index, item: messageItem(id, index, "", "in_progress") });
  emit("response.content_part.added", { ...place, part: part() });
  return {
    kind: "message",
    block,
    append(delta) {
      text += delta;
      emit("response.output_text.delta", { ...place, delta, logprobs: [] });
    },
    sign: noSignature,
    close(status) {
      emit("response.output_text.done", { ...place, text, logprobs: [] });
      emit("response.content_part.done", { ...place, part: part() });
      const item = messageItem(id, index, text, status);
      emit("response.output_item.done", { output_index: index, item });
      return item;
    },
  };
}

/** An item of reasoning that is being written; its events begin at once. */
export function openReasoning(emit: Emit, { block, id, index }: ItemPlace): OpenItem {
  const place = { item_id: itemId(id, index, "reasoning"), output_index: index, summary_index: 0 };
  let [text, signature] = ["", ""];
  const part = () => ({ type: "summary_text", text });
  // Parts come by their own events, and what proves them at the end.
  const begun = { id: place.item_id, type: "reasoning", summary: [], encrypted_content: null };
  emit("response.output_item.added", { output_index: index, item: begun });
  emit("response.reasoning_summary_part.added", { ...place, part: part() });
  return {
    kind: "reasoning",
    block,
    append(delta) {
      text += delta;
      emit("response.reasoning_summary_text.delta", { ...place, delta });
    },
    sign(more) {
      signature += more;
    },
    close() {
      emit("response.reasoning_summary_text.done", { ...place, text });
      emit("response.reasoning_summary_part.done", { ...place, part: part() });
      const item = reasoningItem(id, index, { text, signature });
      emit("response.output_item.done", { output_index: index, item });
      return item;
    },
  };
}

/** A call, in the events of its tool; a search has none of its own. */
export function openCall(emit: Emit, { block, id, index }: ItemPlace, callId: string, called: Called): OpenItem {
  const place = { item_id: itemId(id, index, called), output_index: index };
  const input = called.kind === "custom" ? textInput(emit, place) : jsonInput(emit, place, called);
  let json = "";
  emit("response.output_item.added", {
    output_index: index,
    item: callItem(id, index, callId, called, "", "in_progress"),
  });
  return {
    kind: "call",
    block,
    append(delta) {
      json += delta;
      input.append(delta);
    },
    sign: noSignature,
    close(status) {
      input.close(json);
      const item = callItem(id, index, callId, called, json, status);
      emit("response.output_item.done", { output_index: index, item });
      return item;
    },
  };
}

interface InputEvents {
  append(json: string): void;
  close(json: string): void;
}

function jsonInput(emit: Emit, place: object, { kind, name }: Called): InputEvents {
  if (kind !== "function") return { append() {}, close() {} };
  return {
    append: (delta) => emit("response.function_call_arguments.delta", { ...place, delta }),
    close: (json) => emit("response.function_call_arguments.done", { ...place, name, arguments: json }),
  };
}

function textInput(emit: Emit, place: object): InputEvents {
  const read = createInputReader();
  let told = "";
  const tell = (delta: string): void => {
    if (delta === "") return;
    told += delta;
    emit("response.custom_tool_call_input.delta", { ...place, delta });
  };
  return {
    append: (json) => tell(read(json)),
    close(json) {
      const input = customInput(json);
      if (input.startsWith(told)) tell(input.slice(told.length));
      emit("response.custom_tool_call_input.done", { ...place, input });
    },
  };
}
