/** As much of an `AbortSignal` as most need of one; every `AbortSignal` is one of these. */
export interface InterruptionSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Tells that a request has to come to its end, and why. */
export interface Interruption {
  readonly signal: InterruptionSignal;
  abort(reason: Error): void;
}

/**
 * An `AbortController` and its signal for what begins and ends thousands of times a second: the platform's own is an
 * event target, with tables of its own, and hardly any request is ever interrupted. Its listeners are called once.
 */
export class RequestInterruption implements Interruption, InterruptionSignal {
  aborted = false;
  reason: unknown = undefined;
  #listeners: (() => void)[] | undefined = undefined;

  get signal(): InterruptionSignal {
    return this;
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners ?? [];
    this.#listeners = undefined;
    for (const listener of listeners) listener();
  }

  addEventListener(_: "abort", listener: () => void): void {
    if (this.aborted) return;
    if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    const index = this.#listeners?.indexOf(listener) ?? -1;
    if (index >= 0) this.#listeners?.splice(index, 1);
  }
}
