import { z } from "zod";

/** How an application may be used: by a signed-in browser, with a user's token beside the key, or by the key alone. */
export const appModes = ["session", "jwt", "app_key"] as const;
export type AppMode = (typeof appModes)[number];

/** A point in time, with or without an offset as programs write it; kept in UTC, so that the text's order is time's. */
export const moment = z.iso.datetime({ offset: true }).overwrite(inUtc);

/** As it is where it is none: that has been found already, and is told. */
function inUtc(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString();
}

/** As browsers write it, without a path: with a slash at its end it would be no page's. */
function asOrigin(text: string): string {
  const origin = URL.canParse(text) ? new URL(text).origin : "null";
  return origin === "null" ? text : origin;
}

/** What an administrator decides about an application: the data it speaks with and who may come how. */
export const appSettings = z.object({
  name: z.string().trim().min(1).max(100).describe("What people call the application."),
  connection: z.string().trim().min(1).max(100).describe("Name of a connection that Voicebox is configured with."),
  database: z.string().trim().min(1).max(200),
  model: z.string().trim().min(1).max(200).default("default").describe("The data model (schema) to ask with."),
  named_graphs: z.array(z.string().min(1).max(500)).max(100).default([]).describe("Empty means all of them."),
  reasoning: z.boolean().default(false),
  modes: z.array(z.enum(appModes)).min(1).default(["session", "jwt"]),
  origins: z
    .array(z.url("expected addresses such as https://intranet.example.com").max(300).overwrite(asOrigin))
    .max(50)
    .default([])
    .describe("Other sites whose pages may call with this application's key."),
  examples: z
    .array(z.string().trim().min(1).max(200))
    .max(8)
    .default([])
    .describe("Questions that the page offers to begin with: such as this data can answer."),
  requests_per_minute: z.number().int().min(1).max(100_000).nullable().default(null),
  expires_at: moment.nullable().default(null),
  disabled: z.boolean().default(false),
});

export type AppSettings = z.output<typeof appSettings>;

/** An application: which data its questions are about. */
export interface App extends AppSettings {
  readonly id: string;
  /** `file`: kept in apps.yaml and changed there. */
  readonly source: "file" | "database";
  /** Used by the page when a signed-in person names none. */
  readonly isDefault: boolean;
  readonly created_by: string | null;
  readonly created_at: string | null;
}

/** A key as it is kept: its hash, and the beginning by which people tell keys apart. Times are ISO 8601. */
export interface AppKey {
  readonly id: string;
  readonly app_id: string;
  readonly name: string;
  readonly hint: string;
  readonly hash: string;
  readonly expires_at: string | null;
  readonly disabled: boolean;
  readonly created_by: string | null;
  readonly created_at: string | null;
  readonly last_used_at: string | null;
}

/** Why a key that exists does not open the interface. */
export type KeyRefusal = "key_disabled" | "key_expired" | "app_disabled" | "app_expired" | "mode_refused";

/** Whether a known key opens its application now, and if not, why not. */
export function refusal(app: App, key: AppKey, mode: AppMode, nowMs: number): KeyRefusal | undefined {
  if (key.disabled) return "key_disabled";
  if (hasPassed(key.expires_at, nowMs)) return "key_expired";
  return appRefusal(app, mode, nowMs);
}

/** Undefined when nothing speaks against it. Pure. */
export function appRefusal(app: App, mode: AppMode, nowMs: number): KeyRefusal | undefined {
  if (app.disabled) return "app_disabled";
  if (hasPassed(app.expires_at, nowMs)) return "app_expired";
  return app.modes.includes(mode) ? undefined : "mode_refused";
}

function hasPassed(time: string | null, nowMs: number): boolean {
  return time !== null && Date.parse(time) <= nowMs;
}
