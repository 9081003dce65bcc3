import { Pool } from "undici";
import type { Exchange } from "./contestants.ts";

export interface OpenStreams {
  /** Events since the first call, and how many streams are still open. */
  now(): { readonly open: number; readonly events: number };
  close(): Promise<void>;
}

/**
 * Opens many streams at once and keeps them open.
 * @throws Error when one is refused or cut before all are open
 */
export async function openStreams({ url, headers, body }: Exchange, count: number): Promise<OpenStreams> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: count, headersTimeout: 0, bodyTimeout: 0 });
  let open = 0;
  let events = 0;
  await new Promise<void>((resolve, reject) => {
    for (let index = 0; index < count; index += 1) {
      pool.dispatch(
        { method: "POST", path: pathname, headers, body },
        {
          onRequestStart() {},
          onResponseStart(_, status) {
            if (status !== 200) reject(new Error(`a stream was refused with ${status}`));
            open += 1;
            if (open === count) resolve();
          },
          onResponseData(_, chunk) {
            for (let at = chunk.indexOf("data: "); at >= 0; at = chunk.indexOf("data: ", at + 6)) events += 1;
          },
          onResponseEnd() {
            open -= 1;
          },
          onResponseError(_, error) {
            open -= 1;
            reject(error);
          },
        },
      );
    }
  });
  return { now: () => ({ open, events }), close: () => pool.destroy() };
}
