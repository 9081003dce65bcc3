import { Pool } from "undici";

export interface OpenStreamsOptions {
  readonly url: string;
  readonly token: string;
  readonly body: string;
  readonly count: number;
}

/** Opens many streams at once and keeps them open. */
export async function openStreams({ url, token, body, count }: OpenStreamsOptions) {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: count, headersTimeout: 0, bodyTimeout: 0 });
  let open = 0;
  let events = 0;
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
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
  return {
    async measure(milliseconds: number) {
      const before = events;
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      return { open, eventsPerSecond: (events - before) / (milliseconds / 1000) };
    },
    close: () => void pool.destroy(),
  };
}
