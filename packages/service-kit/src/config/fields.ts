import { isLoopback } from "@onbehalf/shared-auth";
import { z } from "zod";
import { mask } from "../mask.ts";
import { decoded } from "../percent-encoding.ts";
import { exportHeaders } from "../telemetry/export-headers.ts";

/**
 * Building blocks for environment schemas: text in, typed value out. Every message says what was expected; the value
 * that was found is added by `loadEnv`, which knows which values may be shown.
 */

/** A line end that a file or a shell left is no part of an address, and an issuer with one would be nobody's. */
function trimmed() {
  return z.string().trim();
}

/** A TCP port; 0 lets the system choose a free one, where others need not know it beforehand. */
export function port({ min = 0 }: { readonly min?: 0 | 1 } = {}) {
  return wholeNumber(`expected a port number, ${min} to 65535`, min, 65_535);
}

/** A duration in whole seconds. */
export function seconds({ min = 0, max = 31_536_000 }: { readonly min?: number; readonly max?: number } = {}) {
  return wholeNumber(`expected whole seconds, ${min} to ${max}`, min, max);
}

/** A whole number within bounds. */
export function count({ min = 0, max = 1_000_000_000 }: { readonly min?: number; readonly max?: number } = {}) {
  return wholeNumber(`expected a whole number, ${min} to ${max}`, min, max);
}

/** `true` or `false`, nothing else: a typing error must not switch a check off. */
export function flag() {
  return z.string().transform((text, context) => {
    if (text === "true") return true;
    if (text === "false") return false;
    return refuse(context, text, 'expected "true" or "false"');
  });
}

/** Comma-separated words, trimmed, empty ones left out. */
export function list({ min = 0 }: { readonly min?: number } = {}) {
  return z.string().transform((text, context): readonly string[] => {
    const words = text
      .split(",")
      .map((word) => word.trim())
      .filter((word) => word !== "");
    if (words.length >= min) return words;
    return refuse(context, text, `expected at least ${min} comma-separated value${min === 1 ? "" : "s"}`);
  });
}

/** Which addresses a setting takes; any http or https URL unless said otherwise. */
export interface UrlOptions {
  /** For what tokens and keys are fetched from: refuses plain http, except to this machine itself, and credentials. */
  readonly httpOnLoopbackOnly?: boolean;
  /** Accepted schemes, without colon. */
  readonly schemes?: readonly string[];
}

/** An absolute URL, given back as text without a trailing slash. */
export function url(options: UrlOptions = {}) {
  return trimmed().transform((text, context) => {
    const wrong = wrongUrl(text, options);
    return wrong === undefined ? text.replace(/\/+$/, "") : refuse(context, text, wrong);
  });
}

/** Absolute URLs, comma-separated, at least one; each as it is written, since an issuer is compared by the letter. */
export function urls(options: UrlOptions = {}) {
  return list({ min: 1 }).superRefine((words, context) => {
    const wrong = words.find((word) => wrongUrl(word, options) !== undefined);
    if (wrong !== undefined) refuse(context, wrong, `${wrongUrl(wrong, options)}, each; not ${mask(wrong)}`);
  });
}

/** An issuer, kept to the letter, a slash at its end included: it is compared with what tokens say. */
export function issuer(options: Pick<UrlOptions, "httpOnLoopbackOnly"> = {}) {
  return trimmed().superRefine((text, context) => {
    const wrong = wrongUrl(text, options);
    if (wrong !== undefined) refuse(context, text, `${wrong}: the issuer as its tokens name it`);
  });
}

/** Origins, comma-separated, as browsers send them: scheme, host and port. */
export function origins({ all = false }: { /** Accepts `*` for every origin. */ readonly all?: boolean } = {}) {
  return list().superRefine((words, context) => {
    const isOrigin = (word: string) => URL.parse(word)?.origin === word && !word.includes("*");
    const wrong = words.filter((word) => !(all && word === "*") && !isOrigin(word));
    if (wrong.length === 0) return;
    const expected = `expected origins like https://chat.example.com, without a path and comma-separated${all ? ", or *" : ""}`;
    refuse(context, wrong.join(","), `${expected}; not ${mask(wrong.join(", "))}`);
  });
}

/** The address of a PostgreSQL database, with a password in it: never shown. */
export function databaseUrl() {
  const isDatabase = (text: string) => {
    const { protocol = "", password = "" } = URL.parse(text) ?? {};
    return /^postgres(?:ql)?:$/.test(protocol) && decoded(password) !== undefined;
  };
  return secret().refine(
    isDatabase,
    "expected an address like postgresql://host:5432/database, a password in it percent-encoded",
  );
}

/** The address of a Redis, with a password in it: never shown. */
export function redisUrl() {
  const isRedis = (text: string) => {
    const { protocol = "", pathname = "", password = "" } = URL.parse(text) ?? {};
    return /^rediss?:$/.test(protocol) && /^\/?\d*$/.test(pathname) && decoded(password) !== undefined;
  };
  return secret().refine(
    isRedis,
    "expected an address like redis://host:6379, or redis://host:6379/0, a password in it percent-encoded",
  );
}

/** Text that must not be seen: its value is never printed, and `NAME_FILE` may name a file that holds it. */
export function secret({ min = 1 }: { readonly min?: number } = {}) {
  return z
    .string()
    .transform((text, context) => {
      if (text.length >= min) return text;
      const expected = min === 1 ? "expected a secret" : `expected a secret of at least ${min} characters`;
      return refuse(context, text, `${expected}, got ${text.length}`);
    })
    .meta({ secret: true });
}

/** The variables of `createTelemetry`, to be spread into a service's schema. */
export function telemetryFields() {
  return {
    METRICS_PORT: port().optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: url().optional(),
    OTEL_EXPORTER_OTLP_HEADERS: secret()
      .refine((text) => exportHeaders(text) !== undefined, "expected name=value,name=value, the values percent-encoded")
      .optional(),
  };
}

/**
 * For a schema of both: `SHUTDOWN_NOTICE_SECONDS` is a part of `SHUTDOWN_GRACE_SECONDS`, and leaves time for what runs.
 * Looked at also when other variables are wrong, since all problems are told at once.
 */
export function noticeWithinGrace() {
  return z.refine<Readonly<Record<string, unknown>>>(
    ({ SHUTDOWN_NOTICE_SECONDS: notice, SHUTDOWN_GRACE_SECONDS: grace }) =>
      typeof notice !== "number" || typeof grace !== "number" || notice === 0 || notice < grace,
    {
      path: ["SHUTDOWN_NOTICE_SECONDS"],
      error: "expected fewer seconds than SHUTDOWN_GRACE_SECONDS, of which they are a part",
      when: () => true,
    },
  );
}

/** What was expected instead of this text; undefined for a good one. */
function wrongUrl(
  text: string,
  { httpOnLoopbackOnly = false, schemes = ["https", "http"] }: UrlOptions,
): string | undefined {
  const parsed = URL.parse(text);
  if (parsed === null || !schemes.includes(parsed.protocol.slice(0, -1))) {
    return `expected an absolute URL (${schemes.map((scheme) => `${scheme}://…`).join(" or ")})`;
  }
  if (httpOnLoopbackOnly && parsed.protocol === "http:" && !isLoopback(parsed.hostname)) {
    return "expected https://…: plain http is for this machine only (localhost, 127.0.0.1)";
  }
  const hasCredentials = parsed.username !== "" || parsed.password !== "";
  return httpOnLoopbackOnly && hasCredentials ? "expected an address without user name and password" : undefined;
}

function wholeNumber(expected: string, min: number, max: number) {
  return z.string().transform((text, context) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : refuse(context, text, expected);
  });
}

function refuse(context: z.RefinementCtx, input: string, message: string): never {
  context.issues.push({ code: "custom", message, input });
  return z.NEVER;
}
