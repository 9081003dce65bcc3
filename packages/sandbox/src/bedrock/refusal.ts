import { ZodError } from "zod";
import { Refused } from "./signature.ts";

/** An answer that is an error, in AWS's form. */
export class Refusal extends Error {
  readonly status: number;
  readonly type: string;
  readonly headers: Readonly<Record<string, string>>;
  constructor(status: number, type: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.type = type;
    this.headers = headers;
  }
}

/** Any failure as AWS would say it. */
export function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof Refused) return new Refusal(403, error.type, error.message);
  if (error instanceof ZodError) {
    const problems = error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    return new Refusal(400, "ValidationException", `Malformed input request: ${problems.join("; ")}`);
  }
  if (error instanceof SyntaxError || error instanceof TypeError || error instanceof URIError) {
    return new Refusal(400, "ValidationException", error.message);
  }
  return new Refusal(500, "InternalServerException", "The stand-in failed; its console says how.");
}
