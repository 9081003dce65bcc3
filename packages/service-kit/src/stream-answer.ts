import type { ServerResponse } from "node:http";
import { answerHeaders } from "./answer-headers.ts";
import { ClientGone, isComplete } from "./connection.ts";

/**
 * Sends an answer whose body is a stream, with backpressure. A stream that fails is cut, so that the client does not
 * take the part for the whole; the failure is handed to the caller's log and not, as the adapter would, to the console.
 */
export async function sendStream(
  response: Response,
  body: ReadableStream<Uint8Array>,
  outgoing: ServerResponse,
  onFailure: (error: unknown) => void,
): Promise<void> {
  const reader = body.getReader();
  const leave = (): void => {
    if (!isComplete(outgoing)) reader.cancel(new ClientGone()).catch(() => {});
  };
  // A client may be gone before there is an answer, and says so only once.
  if (outgoing.destroyed) return leave();
  outgoing.on("close", leave);
  outgoing.writeHead(response.status, { ...answerHeaders(outgoing), ...headersOf(response) });
  outgoing.flushHeaders?.();
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (outgoing.destroyed) return;
      if (!outgoing.write(part.value)) await roomOrEnd(outgoing);
    }
    outgoing.end();
  } catch (error) {
    onFailure(error);
    outgoing.destroy();
  }
}

function roomOrEnd(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.on("drain", done).on("close", done);
  });
}

/** Cookies are several headers of one name. */
function headersOf({ headers }: Response): Record<string, string | string[]> {
  const cookies = headers.getSetCookie();
  const rest = Object.fromEntries(headers);
  return cookies.length === 0 ? rest : { ...rest, "set-cookie": cookies };
}

/**
 * The adapter's light answers keep their body to themselves until somebody asks for it, and asking makes them heavy.
 * So the body is looked for where they keep it; an adapter that keeps it elsewhere is merely slower.
 * @param sample any answer of the adapter
 */
export function createStreamFinder(sample: Response): (response: Response) => ReadableStream<Uint8Array> | undefined {
  const place = Object.getOwnPropertySymbols(sample).find(({ description }) => description === "cache");
  return (response) => {
    const kept: unknown = place === undefined ? undefined : Reflect.get(response, place);
    const body: unknown = Array.isArray(kept) ? kept[1] : response.body;
    return body instanceof ReadableStream ? body : undefined;
  };
}
