import type { MiddlewareHandler } from "hono";
import { bodyLimit as countedLimit } from "hono/body-limit";
import { connectionOf } from "./connection.ts";
import { HttpError } from "./http-error.ts";

/**
 * Refuses larger bodies with 413: at once where the length is announced, else while the body comes in, so that no
 * more than `maxBytes` are ever held.
 * @throws HttpError 413 `request_too_large`
 */
export function bodyLimit(maxBytes: number): MiddlewareHandler {
  const counted = countedLimit({
    maxSize: maxBytes,
    onError: () => {
      throw tooLarge(maxBytes);
    },
  });
  return async (c, next) => {
    const length = c.req.header("content-length");
    if (length !== undefined && Number(length) > maxBytes) throw tooLarge(maxBytes);
    const announced = length !== undefined && c.req.header("transfer-encoding") === undefined;
    // Of HTTP/1.1 only: in HTTP/2 a body may come without either header.
    const incoming = connectionOf(c.env)?.incoming;
    const bodiless = incoming?.httpVersionMajor === 1 && c.req.header("transfer-encoding") === undefined;
    return announced || bodiless ? next() : counted(c, next);
  };
}

function tooLarge(maxBytes: number): HttpError {
  return new HttpError(413, "request_too_large", `The body is larger than ${maxBytes} bytes; send less.`);
}
