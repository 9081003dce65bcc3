import type { ConverseBlock, Turn } from "../rule.ts";
import type { Row } from "./answer-wording.ts";

/** The newest question, and where it stands among the messages. */
export interface Asked {
  readonly text: string;
  readonly at: number;
}

/** The newest message in which the user says something; tool results travel in the user's name too. */
export function lastQuestion({ messages }: Turn): Asked | undefined {
  const at = messages.findLastIndex(
    ({ role, content }) => role === "user" && content.some(({ text }) => text !== undefined),
  );
  return at < 0 ? undefined : { text: textOf(messages[at]?.content ?? []), at };
}

/** What the user asked before, the newest first. */
export function earlierQuestions({ messages }: Turn, before: number): readonly string[] {
  return messages
    .slice(0, before)
    .filter(({ role, content }) => role === "user" && content.some(({ text }) => text !== undefined))
    .map(({ content }) => textOf(content))
    .reverse();
}

function textOf(content: readonly ConverseBlock[]): string {
  return content.flatMap(({ text }) => text ?? []).join("\n");
}

/** One tool call that was made for the question, with what came back. */
export interface Done {
  readonly tool: string;
  readonly rows: readonly Row[];
  readonly error: string | undefined;
}

export function doneSince({ messages }: Turn, at: number): readonly Done[] {
  const later = messages.slice(at + 1).flatMap(({ content }) => content);
  const names = new Map(
    later.flatMap(({ toolUse }) => (toolUse === undefined ? [] : [[toolUse.toolUseId, toolUse.name] as const])),
  );
  return later.flatMap(({ toolResult }) => {
    if (toolResult === undefined) return [];
    return [{ tool: names.get(toolResult.toolUseId) ?? "", ...readResult(toolResult.content) }];
  });
}

/** Everything in a result is data: it is looked at for its rows, never for what its words say. */
function readResult(content: readonly { readonly text?: string; readonly json?: unknown }[]): Omit<Done, "tool"> {
  const value: unknown = content[0]?.json ?? parsed(content.map(({ text }) => text ?? "").join(""));
  const error = member(value, "error");
  if (typeof error === "string") return { rows: [], error };
  const data = member(value, "graph_data");
  const columns = member(data, "columns");
  const rows = member(data, "rows");
  if (!Array.isArray(columns) || !Array.isArray(rows)) return { rows: [], error: undefined };
  return { rows: rows.map((row: unknown) => rowOf(columns, row)), error: undefined };
}

function rowOf(columns: readonly unknown[], row: unknown): Row {
  const cells: readonly unknown[] = Array.isArray(row) ? row : [];
  return Object.fromEntries(
    columns.map((column, at) => [String(column), typeof cells[at] === "string" ? cells[at] : null]),
  );
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
