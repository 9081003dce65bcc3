import type { Problem } from "./answer.ts";

/** What a leg of an exchange asks for. */
export interface Ask {
  /** The token that goes in: the subject's, or in a second leg what the first one issued. */
  readonly token: string;
  readonly tokenType: string;
  readonly audience: readonly string[];
  readonly resource: readonly string[];
  readonly scopes: readonly string[];
  readonly actor: { readonly token: string; readonly tokenType: string } | undefined;
  /** The issuer of the server that is asked last; across domains not the one that is asked first. */
  readonly farIssuer: string;
}

/** A form field; names may repeat. */
export type Field = readonly [name: string, value: string];

/** The members of a token endpoint's answer that anything here looks at. */
export interface Answer {
  readonly access_token: string;
  /** In lower case. */
  readonly token_type: string;
  readonly expires_in?: number | undefined;
  readonly scope?: string | undefined;
  readonly issued_token_type?: unknown;
}

/** One request to one token endpoint. */
export interface Leg {
  readonly grantType: string;
  /** Everything in the form but grant type and client authentication. */
  readonly fields: (ask: Ask) => readonly Field[];
  /** What is wrong with an answer that HTTP calls a success; undefined when nothing is. */
  readonly problem: (answer: Answer) => Problem | undefined;
}

/** What an operator must have configured for a profile; checked at construction. */
export interface Needs {
  readonly audience?: "required" | "unsupported";
  readonly scopes?: "required";
  readonly resource?: "unsupported";
  readonly actor?: "unsupported";
  readonly target?: "required";
}

/** How one provider speaks token exchange. */
export interface ExchangeProfile {
  readonly needs: Needs;
  /** One, or for an exchange across domains two, the second at the other domain's server. */
  readonly legs: readonly [Leg] | readonly [Leg, Leg];
  /** What the subject's token is, unless configured. */
  readonly subjectTokenType: TokenTypeName;
  /** Whether scopes nobody asked for are a fault; some servers add their defaults or translate names. */
  readonly scopesGranted: "as_asked" | "server_decides";
  /** The claim by which a user is the same at all clients of one issuer. */
  readonly userClaim: "sub" | "oid";
  /**
   * How the server says that the subject's token is not good, beside `invalid_grant`: matched against
   * `<error> <error_description>`. RFC 8693 section 2.2.2 has `invalid_request` for it, which also says that we are wrong.
   */
  readonly badSubject?: RegExp;
}

/** Short names of RFC 8693 section 3. */
export type TokenTypeName = "access_token" | "id_token" | "jwt" | "refresh_token" | "saml1" | "saml2" | "id-jag";

/** The full name (RFC 8693 section 3). */
export const tokenType = (name: TokenTypeName): string => `urn:ietf:params:oauth:token-type:${name}`;

/** RFC 8693 section 2.1 and RFC 7523 section 2.1. */
export const grants = {
  tokenExchange: "urn:ietf:params:oauth:grant-type:token-exchange",
  jwtBearer: "urn:ietf:params:oauth:grant-type:jwt-bearer",
} as const;

/** The fields that RFC 8693 section 2.1 gives every token exchange. */
export function exchangeFields(ask: Ask): Field[] {
  const { actor } = ask;
  return [
    ["subject_token", ask.token],
    ["subject_token_type", ask.tokenType],
    ...ask.audience.map((audience): Field => ["audience", audience]),
    ...ask.resource.map((resource): Field => ["resource", resource]),
    ...scopeField(ask),
    ...(actor === undefined
      ? []
      : ([
          ["actor_token", actor.token],
          ["actor_token_type", actor.tokenType],
        ] as const)),
  ];
}

/** Nothing at all when no scope is wished for: an empty field is not the same. */
export function scopeField({ scopes }: Ask): Field[] {
  return scopes.length === 0 ? [] : [["scope", scopes.join(" ")]];
}
