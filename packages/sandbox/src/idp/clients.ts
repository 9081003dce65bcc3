import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Adapter, AdapterPayload, ClientMetadata } from "oidc-provider";
import type { ClientDefinition } from "./definitions.ts";
import { grantTypes } from "./grant-types.ts";
import { Provider } from "./library.ts";

/** PEM private key of a client by its id: made at first use, then always the same. */
export type ClientKeys = (clientId: string) => string;

/** @param dataDir where keys are kept as `keys/<client>.pem`, readable by their owner alone; absent = in memory */
export function clientKeys(dataDir: string | undefined): ClientKeys {
  const known = new Map<string, string>();
  return (clientId) => {
    const pem = known.get(clientId) ?? (dataDir === undefined ? newPem() : keptPem(join(dataDir, "keys"), clientId));
    known.set(clientId, pem);
    return pem;
  };
}

function keptPem(folder: string, clientId: string): string {
  const file = join(folder, `${clientId}.pem`);
  if (existsSync(file)) return readFileSync(file, "utf8");
  const pem = newPem();
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, pem, { mode: 0o600 });
  chmodSync(file, 0o600);
  return pem;
}

function newPem(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

interface ClientSetting {
  readonly launchpadUrls: readonly string[];
  readonly keyOf: ClientKeys;
  /** Grants of ours that the issuer knows. */
  readonly addedGrants: readonly string[];
}

/**
 * The clients of one issuer as storage, because a client of ours may prove itself by secret or by signed assertion, as
 * one that moves from the one to the other must, while the library knows one method per client: so it is told the one
 * that the running request uses.
 */
export function clientStorage(
  rest: Adapter,
  clients: Readonly<Record<string, ClientDefinition>>,
  setting: ClientSetting,
): Adapter {
  return {
    ...rest,
    find: async (clientId) => {
      const client = Object.hasOwn(clients, clientId) ? clients[clientId] : undefined;
      if (client === undefined) return undefined;
      const bySignature = client.privateKey && Provider.ctx?.oidc.params?.client_assertion !== undefined;
      const metadata = metadataOf(clientId, client, setting);
      return (bySignature ? signing(metadata, setting.keyOf(clientId)) : metadata) as AdapterPayload;
    },
  };
}

function signing({ client_secret: _, ...metadata }: ClientMetadata, pem: string): ClientMetadata {
  const jwk = createPublicKey(pem).export({ format: "jwk" });
  return { ...metadata, token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [{ ...jwk, use: "sig" }] } };
}

function metadataOf(clientId: string, client: ClientDefinition, setting: ClientSetting): ClientMetadata {
  const { launchpadUrls, addedGrants } = setting;
  const below = (paths: readonly string[] = []): string[] =>
    launchpadUrls.flatMap((url) => paths.map((path) => `${url}${path}`));
  const interactive = client.grants.includes("authorization_code");
  const backchannel = client.backchannelLogoutUri ?? below(one(client.paths?.backchannelLogout))[0];
  return {
    client_id: clientId,
    client_name: client.name,
    ...(client.secret === undefined ? {} : { client_secret: client.secret }),
    token_endpoint_auth_method: client.secret === undefined ? "none" : "client_secret_basic",
    ...(client.scopes === undefined ? {} : { scope: client.scopes.join(" ") }),
    application_type: client.native ? "native" : "web",
    // Whether a client may really exchange is decided by the grant itself, which can then say unauthorized_client.
    grant_types: [...client.grants.map(grantTypeOf), ...addedGrants],
    response_types: interactive ? ["code"] : [],
    redirect_uris: interactive ? [...client.redirectUris, ...below(client.paths?.redirect)] : [],
    post_logout_redirect_uris: [...client.postLogoutRedirectUris, ...below(client.paths?.postLogout)],
    ...(backchannel === undefined
      ? {}
      : { backchannel_logout_uri: backchannel, backchannel_logout_session_required: true }),
  };
}

/** As the wire has it; the definitions say `device_code` in short. */
const grantTypeOf = (grant: ClientDefinition["grants"][number]): string =>
  grant === "device_code" ? grantTypes.deviceCode : grant;

const one = (path: string | undefined): string[] => (path === undefined ? [] : [path]);
