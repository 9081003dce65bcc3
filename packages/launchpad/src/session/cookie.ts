import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";

/** One cookie of this service, written the same way everywhere. */
export interface Cookie {
  readonly name: string;
  read(c: Context): string | undefined;
  write(c: Context, value: string, maxAgeSeconds: number): void;
  clear(c: Context): void;
}

/** Browsers drop a cookie whose name, value and attributes exceed 4096 bytes together. */
export const maxCookieValueBytes = 3800;

/**
 * A cookie that scripts cannot read. On https it has the `__Host-` prefix: no other host and no plain-http page can set
 * it (RFC 6265bis section 4.1.3.2). On plain http, which is for this machine only, browsers refuse that prefix.
 */
export function createCookie(name: string, secure: boolean): Cookie {
  const full = secure ? `__Host-${name}` : name;
  const attributes = { path: "/", httpOnly: true, secure, sameSite: "Lax" } as const;
  return {
    name: full,
    read: (c) => getCookie(c, full),
    write: (c, value, maxAgeSeconds) => setCookie(c, full, value, { ...attributes, maxAge: maxAgeSeconds }),
    clear: (c) => {
      deleteCookie(c, full, attributes);
    },
  };
}
