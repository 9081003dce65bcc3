import type { Rule } from "./rule.ts";

interface OperationContext {
  readonly model: string;
  readonly rules: readonly Rule[];
  /** A guardrail was asked for in the headers, as InvokeModel does. */
  readonly guarded: boolean;
  /** Named by the `anthropic-beta` header. */
  readonly betas: readonly string[];
}

/** What an operation answers, whole or as named events; only one of the two is asked for. */
export interface Answer {
  readonly json: () => unknown;
  readonly events: () => Iterable<readonly [type: string, payload: unknown]>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** @throws ZodError or TypeError for what Bedrock would call a ValidationException */
export type Operation = (body: unknown, context: OperationContext) => Answer;
