/** One call the stand-in answered or refused after its signature held: what AWS's own log would show of the user. */
export interface SeenCall {
  readonly operation: string;
  /** Empty where an operation is about no one model. */
  readonly model: string;
  readonly arn: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly requestMetadata?: unknown;
}

const maxCalls = 100;

/** The newest calls, for tests and for people who want to see that the user reaches the provider. */
export function createCalls() {
  const calls: SeenCall[] = [];
  return {
    add(call: SeenCall): void {
      calls.push(call);
      if (calls.length > maxCalls) calls.shift();
    },
    list: (): readonly SeenCall[] => calls,
  };
}
