import { randomBytes } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type ClientKeys, clientStorage } from "./clients.ts";
import type { IssuerDefinition, User } from "./definitions.ts";
import { oktaToken } from "./dialects/okta.ts";
import type { TrustedIssuer } from "./exchange/subject.ts";
import type { SigningKeys } from "./keys.ts";
import type { Lifetimes } from "./lifetimes.ts";
import { createProvider } from "./provider.ts";
import type { State } from "./state.ts";
import { withReferences } from "./token-reference.ts";

export interface IssuerParts {
  readonly name: string;
  readonly url: string;
  readonly definition: IssuerDefinition;
  readonly users: ReadonlyMap<string, User>;
  readonly state: State;
  readonly lifetimes: Lifetimes;
  readonly launchpadUrls: readonly string[];
  readonly keyOf: ClientKeys;
  /** The other issuers of this provider, to look up those this one trusts. */
  readonly others: () => ReadonlyMap<string, Issuer>;
}

/** One issuer of the running provider. */
export interface Issuer {
  readonly name: string;
  readonly url: string;
  readonly keys: SigningKeys;
  /** Answers a request whose URL is relative to the issuer's. */
  handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void>;
  /** New keys from now on. @param keepOld whether what the old ones signed stays verifiable */
  rotateKeys(keepOld: boolean): Promise<void>;
  /** As seen by an issuer that trusts this one. */
  readonly trusted: TrustedIssuer;
}

export function createIssuer(parts: IssuerParts, keys: SigningKeys): Issuer {
  const { name, url, definition, state, others } = parts;
  const storage = (model: string) => {
    const plain = state.adapter(name, model);
    if (model === "Client") return clientStorage(plain, definition.clients, parts.launchpadUrls, parts.keyOf);
    return model === "AccessToken" ? withReferences(plain) : plain;
  };
  const issued = storage("AccessToken");
  const trusted: TrustedIssuer = {
    name,
    url,
    find: keys.find,
    isActive: async (jti) => (await issued.find(jti)) !== undefined,
  };
  const trusts = [...new Set([name, ...definition.trusts])];
  const make = () =>
    createProvider({
      ...parts,
      keys,
      secret: remembered(state, `cookie-secret:${name}`),
      storage,
      shape: oktaToken,
      trusted: () => trusts.flatMap((other) => others().get(other)?.trusted ?? []),
    }).callback();

  let answer = make();
  return {
    name,
    url,
    keys,
    trusted,
    handle: (incoming, outgoing) => answer(incoming, outgoing),
    rotateKeys: async (keepOld) => {
      await keys.rotate(keepOld);
      answer = make();
    },
  };
}

function remembered(state: State, name: string): string {
  const known = state.read(name);
  if (known !== undefined) return known;
  const secret = randomBytes(32).toString("base64url");
  state.write(name, secret);
  return secret;
}
