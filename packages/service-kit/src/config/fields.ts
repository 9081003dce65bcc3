import { z } from "zod";

/**
 * Building blocks for environment schemas: text in, typed value out. Every message says what was expected; the value
 * that was found is added by `loadEnv`, which knows which values may be shown.
 */

/** A TCP port; 0 lets the system choose a free one. */
export function port() {
  return wholeNumber("expected a port number, 0 to 65535", 0, 65_535);
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

export interface UrlOptions {
  /** Refuses plain http, except to this machine itself. */
  readonly httpOnLoopbackOnly?: boolean;
  /** Accepted schemes, without colon. */
  readonly schemes?: readonly string[];
}

/** An absolute URL, given back as text without a trailing slash. */
export function url({ httpOnLoopbackOnly = false, schemes = ["https", "http"] }: UrlOptions = {}) {
  const expected = `expected an absolute URL (${schemes.map((scheme) => `${scheme}://…`).join(" or ")})`;
  return z.string().transform((text, context) => {
    const parsed = URL.parse(text);
    if (parsed === null || !schemes.includes(parsed.protocol.slice(0, -1))) return refuse(context, text, expected);
    if (httpOnLoopbackOnly && parsed.protocol === "http:" && !isLoopback(parsed.hostname)) {
      return refuse(context, text, "expected https://…: plain http is for this machine only (localhost, 127.0.0.1)");
    }
    return text.replace(/\/+$/, "");
  });
}

/** Text that must not be seen: its value is never printed, and `NAME_FILE` may name a file that holds it. */
export function secret({ min = 1 }: { readonly min?: number } = {}) {
  return z
    .string()
    .transform((text, context) => {
      if (text.length >= min) return text;
      return refuse(context, text, `expected a secret of at least ${min} characters, got ${text.length}`);
    })
    .meta({ secret: true });
}

/** The variables of `createTelemetry`, to be spread into a service's schema. */
export function telemetryFields() {
  return {
    METRICS_PORT: port().optional(),
    OTEL_EXPORTER_OTLP_ENDPOINT: url().optional(),
    OTEL_EXPORTER_OTLP_HEADERS: secret().optional(),
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

/** True for the names and addresses of the machine itself. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || isLoopbackV4(hostname);
}

function isLoopbackV4(hostname: string): boolean {
  return /^127(?:\.\d{1,3}){3}$/.test(hostname);
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
