import { z } from "zod";
import issuersFile from "./data/issuers.json" with { type: "json" };
import usersFile from "./data/users.json" with { type: "json" };
import { dialectNames } from "./dialects/index.ts";
import { otherMakes } from "./makes.ts";

const user = z.strictObject({
  sub: z.string().min(1),
  name: z.string().min(1),
  given_name: z.string(),
  family_name: z.string(),
  email: z.email(),
  /** Okta's own key of a user. */
  uid: z.string().min(1),
  /** Entra's own key of a user. */
  oid: z.uuid(),
  title: z.string(),
  groups: z.array(z.string()),
});

const exchangeRule = z.strictObject({
  /** Names of the issuers whose tokens this client may bring. */
  from: z.array(z.string()).min(1),
  subjectAudience: z.string().min(1),
  audience: z.string().min(1),
  scopes: z.array(z.string()).min(1),
});

/** A server of another domain this client may go to with an assertion; there it is `clientId`. */
const assertionTarget = z.strictObject({
  audience: z.string().min(1),
  clientId: z.string().min(1),
  scopes: z.array(z.string()).min(1),
});

/** Assertions of other issuers this client may bring, and what it gets for them. */
const assertionRule = z.strictObject({
  from: z.array(z.string()).min(1),
  audience: z.string().min(1),
  scopes: z.array(z.string()).min(1),
});

const client = z.strictObject({
  name: z.string().min(1),
  /** Absent: a public client, which only PKCE protects. */
  secret: z.string().min(1).optional(),
  /** The client may also sign assertions with a key of its own (private_key_jwt). */
  privateKey: z.boolean().default(false),
  grants: z.array(z.enum(["authorization_code", "refresh_token", "client_credentials", "device_code"])).default([]),
  /** Audiences its tokens may have; the first is taken when none is asked for. */
  audiences: z.array(z.string()).default([]),
  /** Scopes it may ask for; any when left out. */
  scopes: z.array(z.string()).optional(),
  /** A native application may use any port of its loopback redirect URI (RFC 8252, section 7.3). */
  native: z.boolean().default(false),
  redirectUris: z.array(z.string()).default([]),
  postLogoutRedirectUris: z.array(z.string()).default([]),
  backchannelLogoutUri: z.string().optional(),
  /** Paths below Launchpad's address, wherever that is. */
  paths: z
    .strictObject({
      redirect: z.array(z.string()),
      postLogout: z.array(z.string()),
      backchannelLogout: z.string().optional(),
    })
    .optional(),
  exchanges: z.array(exchangeRule).default([]),
  assertions: z.array(assertionTarget).default([]),
  accepts: z.array(assertionRule).default([]),
});

const issuer = z.strictObject({
  title: z.string().min(1),
  dialect: z.enum(dialectNames),
  /** Each audience with the scopes it brings. */
  audiences: z.record(z.string(), z.array(z.string())),
  /** What `aud` says for an audience, where that is more than its name: further clients that may use the token. */
  audienceClaims: z.record(z.string(), z.array(z.string()).min(1)).default({}),
  /** Names of the issuers whose subject tokens this one accepts, besides its own. */
  trusts: z.array(z.string()).default([]),
  /** Scopes only members of one of these groups are given. */
  scopesForGroups: z.record(z.string(), z.array(z.string())).default({}),
  clients: z.record(z.string(), client),
});

/** A demo user. The password is the `sub`. */
export type User = Readonly<z.output<typeof user>>;
/** Who may exchange whose tokens for what. */
export type ExchangeRule = Readonly<z.output<typeof exchangeRule>>;
/** Whose identity assertions a server takes. */
export type AssertionRule = Readonly<z.output<typeof assertionRule>>;
/** A registered client, complete. */
export type ClientDefinition = Readonly<z.output<typeof client>>;
/** One authorization server, complete. */
export type IssuerDefinition = Readonly<z.output<typeof issuer>>;
/** An issuer as one writes it in a file or an option, before defaults. */
export type IssuerInput = z.input<typeof issuer>;
export type UserInput = z.input<typeof user>;

/** Scopes that say who somebody is, known to every issuer. */
export const identityScopes = ["openid", "profile", "email", "groups", "offline_access"] as const;

/** The client of the `token` command: public, so PKCE alone protects it, and only loopback redirects. */
const commandLine: ClientDefinition = client.parse({
  name: "Sandbox command line",
  grants: ["authorization_code", "refresh_token", "device_code"],
  native: true,
  redirectUris: ["http://127.0.0.1/callback", "http://localhost/callback"],
});

/**
 * Issuers by name: the built-in ones, then those given, which replace a built-in one of the same name.
 * @throws ZodError for a definition that is not well-formed
 */
export function issuerDefinitions(given: Readonly<Record<string, IssuerInput>> = {}): Map<string, IssuerDefinition> {
  const definitions = z.record(z.string(), issuer).parse({ ...issuersFile, ...otherMakes, ...given });
  return new Map(Object.entries(definitions).map(([name, definition]) => [name, withCommandLine(definition)] as const));
}

function withCommandLine(definition: IssuerDefinition): IssuerDefinition {
  const audiences = Object.keys(definition.audiences);
  return { ...definition, clients: { "sandbox-cli": { ...commandLine, audiences }, ...definition.clients } };
}

/** Users by `sub`. @throws ZodError for a user that is not well-formed */
export function userDirectory(given: readonly UserInput[] = usersFile): Map<string, User> {
  return new Map(
    z
      .array(user)
      .parse(given)
      .map((entry) => [entry.sub, entry]),
  );
}
