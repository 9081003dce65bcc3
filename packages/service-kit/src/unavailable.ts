import { HttpError } from "./http-error.ts";

/** A store or database cannot be reached in time. Answered 503: the caller did nothing wrong and may try again. */
export class StoreUnavailable extends HttpError {
  /** @param what is out of reach, in words for the caller: “session store”, “database” */
  constructor(what: string, cause: unknown) {
    super(503, "store_unavailable", `The ${what} cannot be reached right now. Try again in a moment.`, {
      cause,
      retryAfterSeconds: 2,
    });
  }
}
