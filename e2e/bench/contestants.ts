import { join } from "node:path";
import { type Cores, move } from "./machine.ts";
import { family } from "./process-table.ts";
import { type Running, serverOf } from "./processes.ts";

/** What is asked: one JSON answer, a stream of 100 events as fast as they are taken, or one event each 100 ms. */
export type Kind = "json" | "stream" | "paced";

export const eventsPerStream = 100;
export const pacedEventsPerSecond = 10;

/** One request, the same each time. */
export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server under test and how it is asked. */
export interface Contestant {
  readonly name: string;
  readonly server: Running;
  readonly ask: (kind: Kind) => Exchange;
  /** Compiled by its own engine as it runs, so it needs tens of thousands of requests to come to rest. */
  readonly warmsUp: boolean;
  /** What it does not answer. */
  readonly without?: Kind;
}

const messages = [{ role: "user", content: "Tell me about the quick brown fox. ".repeat(6) }];

export interface Asking {
  readonly url: (kind: Kind) => string;
  readonly models: { readonly plain: string; readonly paced: string };
  readonly headers?: Readonly<Record<string, string>>;
}

/** A chat completion in OpenAI's words, which everything measured here understands. */
export function asking({ url, models, headers = {} }: Asking): (kind: Kind) => Exchange {
  return (kind) => ({
    url: `${url(kind)}/v1/chat/completions`,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({
      model: kind === "paced" ? models.paced : models.plain,
      messages,
      ...(kind === "json" ? {} : { stream: true }),
    }),
  });
}

/** The names under which the provider itself knows its two models. */
export const plainModels = { plain: "bench", paced: "paced" };

/** The provider's processes, each on a core of its own. */
export async function startProvider(where: Cores["provider"]): Promise<Running> {
  const provider = await program("provider", "upstream.ts", where[0], String(where.length));
  place(provider, where);
  return provider;
}

/** Left to itself, the system puts both where there is room for one. */
export function place(provider: Running, where: Cores["provider"]): void {
  const [, ...processes] = family(provider.pid);
  for (const [index, pid] of processes.entries()) move(pid, where[index]);
}

/** The floor: everything else is a ratio to it. */
export async function startBare(provider: Running, core: number | undefined): Promise<Contestant> {
  const server = await program("bare", "bare.ts", core, provider.url);
  return { name: "bare Node", server, ask: asking({ url: () => server.url, models: plainModels }), warmsUp: true };
}

/** The provider without anything between, for what the others add. */
export function direct(provider: Running): Contestant {
  return {
    name: "direct",
    server: provider,
    ask: asking({ url: () => provider.url, models: plainModels }),
    warmsUp: true,
  };
}

function program(name: string, file: string, core: number | undefined, argument: string): Promise<Running> {
  return serverOf({
    name,
    core,
    command: [process.execPath, "--no-warnings", join(import.meta.dirname, file), argument],
  });
}
