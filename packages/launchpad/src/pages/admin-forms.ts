import { HttpError } from "@onbehalf/service-kit";
import { z } from "zod";
import { appRequest, type KeyRequest, keyRequest } from "../apps/manage.ts";

/** A form that was not taken: it is shown again as it was filled in. */
export interface RefusedForm {
  /** Where it was sent to, by which it is told from the others of its page. */
  readonly path: string;
  readonly fields: URLSearchParams;
  readonly problem: string;
}

const dayMs = 86_400_000;
const maxDays = 3650;

/** @throws ZodError naming every field that is not as it should be */
export function appFromForm(fields: URLSearchParams) {
  const requests = text(fields, "requests_per_minute");
  const ends = text(fields, "expires_at");
  return appRequest.parse({
    name: text(fields, "name"),
    connection: text(fields, "connection"),
    database: text(fields, "database"),
    model: text(fields, "model"),
    named_graphs: parts(fields, "named_graphs", ","),
    origins: parts(fields, "origins", ","),
    examples: parts(fields, "examples", /\r?\n/),
    reasoning: fields.get("reasoning") === "1",
    disabled: fields.get("disabled") === "1",
    modes: fields.getAll("modes"),
    requests_per_minute: requests === "" ? null : Number(requests),
    expires_at: ends === "" ? null : `${ends}T00:00:00Z`,
  });
}

/** @throws HttpError 400 for days that are none, ZodError for a name that is none */
export function keyFromForm(fields: URLSearchParams, nowMs: number): KeyRequest {
  const days = text(fields, "days");
  if (days !== "" && !(/^\d{1,4}$/.test(days) && Number(days) >= 1 && Number(days) <= maxDays)) {
    throw new HttpError(400, "invalid_request", `Days: expected a number from 1 to ${maxDays}`);
  }
  const expires_at = days === "" ? null : new Date(nowMs + Number(days) * dayMs).toISOString();
  return keyRequest.parse({ name: text(fields, "name"), expires_at });
}

/** The fields as the form calls them. */
const labels: Readonly<Record<string, string>> = {
  name: "Name",
  connection: "Connection",
  database: "Database",
  model: "Model",
  named_graphs: "Named graphs",
  origins: "Other sites",
  examples: "Questions to begin with",
  modes: "Ways in",
  requests_per_minute: "Requests per minute",
  expires_at: "Ends",
};

/** What fields take: the schema's own words are not for people. */
const expectations: Readonly<Record<string, string>> = {
  name: "expected 1 to 100 characters on one line",
  connection: "choose the one that holds the data",
  database: "expected the name of the database, up to 200 characters",
  model: "expected the name of a data model, up to 200 characters; where there is none, default",
  named_graphs: "expected up to 100 names of up to 500 characters, with commas between them, or nothing for all graphs",
  origins: "expected up to 50 addresses, each of up to 300 characters, with commas between them",
  "origins invalid_format": "expected addresses such as https://intranet.example.com",
  examples: "expected up to 8 questions of up to 200 characters, each on a line of its own",
  modes: "choose at least one",
  requests_per_minute: "expected a number from 1 to 100000, or nothing",
  expires_at: "expected a date, or nothing",
};

/** What was wrong with a form, in its own words. @throws what is no fault of the form */
export function wrongForm(error: unknown): string {
  if (error instanceof HttpError) return error.message;
  if (!(error instanceof z.core.$ZodError)) throw error;
  const problems = error.issues.map(({ path, code, message }) => {
    const field = String(path[0]);
    return `${labels[field] ?? field}: ${expectations[`${field} ${code}`] ?? expectations[field] ?? message}`;
  });
  return [...new Set(problems)].join("; ");
}

function text(fields: URLSearchParams, name: string): string {
  return fields.get(name)?.trim() ?? "";
}

function parts(fields: URLSearchParams, name: string, separator: string | RegExp): string[] {
  return text(fields, name)
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
