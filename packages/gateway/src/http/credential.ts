import { AuthError } from "@onbehalf/shared-auth";
import type { HeaderValues } from "./raw-headers.ts";

/** A credential by its form; nothing of it is believed yet. */
export type Credential =
  | { readonly kind: "jwt"; readonly token: string }
  | { readonly kind: "key"; readonly token: string };

const keyForm = /^sk-[A-Za-z0-9_-]{1,200}$/;

/**
 * The one credential of a request: `Authorization: Bearer`, or `x-api-key` as older Anthropic clients send it. Both at
 * once only when they are the same.
 * @throws AuthError `token_absent`, `request_ambiguous`, `token_malformed`
 */
export function readCredential(headers: HeaderValues): Credential {
  const authorization = headers.get("authorization");
  const bearer = authorization === null ? undefined : bearerOf(authorization);
  let token: string | undefined;
  for (const one of [bearer, headers.get("x-api-key"), headers.get("api-key")]) {
    // Clients with an empty key in their environment send an empty header: that is none.
    if (one === undefined || one === null || one === "") continue;
    if (token !== undefined && one !== token) {
      throw new AuthError(
        "request_ambiguous",
        "Authorization, x-api-key and api-key hold different credentials; send one.",
      );
    }
    token = one;
  }
  if (token === undefined) throw absent();
  if (keyForm.test(token)) return { kind: "key", token };
  if (token.startsWith("sk-")) {
    const message = "This key is not known here: it is too short, too long or has signs in it that no key has.";
    throw new AuthError("token_malformed", `${message} Copy it again, whole.`);
  }
  if (hasThreeParts(token)) return { kind: "jwt", token };
  throw new AuthError(
    "token_malformed",
    "The credential is neither a JWT (three parts with dots between) nor a key (sk-…): send Authorization: Bearer <token>.",
  );
}

/** Of what signs they are made is for the verifier to ask, and only of a token that it does not remember. */
function hasThreeParts(token: string): boolean {
  const first = token.indexOf(".");
  const second = token.indexOf(".", first + 1);
  return first > 0 && second > first + 1 && token.indexOf(".", second + 1) === -1;
}

/** Undefined for another scheme, which is as good as no credential. */
function bearerOf(authorization: string): string | undefined {
  // Several headers arrive joined by commas; what follows the comma is then a scheme of its own.
  if (authorization.includes(",") && /,\s*[A-Za-z][\w-]*(?:\s|$)/.test(authorization)) {
    throw new AuthError("request_ambiguous", "There are several Authorization headers; send one, with one credential.");
  }
  const space = authorization.indexOf(" ");
  if (space === -1 || authorization.slice(0, space).toLowerCase() !== "bearer") return undefined;
  return authorization.slice(space + 1).trim();
}

function absent(): AuthError {
  return new AuthError(
    "token_absent",
    "This gateway needs a credential: Authorization: Bearer <JWT or key>, or x-api-key: <key>.",
  );
}
