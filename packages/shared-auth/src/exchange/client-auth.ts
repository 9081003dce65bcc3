import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  modifyAssertion,
  PrivateKeyJwt,
  TlsClientAuth,
} from "openid-client";
import { createKeyFile } from "./key-file.ts";

/** How the client proves itself to the token endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2). */
export type ClientAuthOptions =
  /** By certificate (RFC 8705 section 2): the exchange's `fetch` shows it, see `mutualTlsFetch`. */
  | { readonly method: "tls_client_auth" }
  | { readonly method: "client_secret_basic" | "client_secret_post"; readonly secret: string }
  | {
      readonly method: "private_key_jwt";
      /** PEM file with an RSA, EC or Ed25519 private key; read again when it changes. */
      readonly keyFile: string;
      /** The name under which the server knows the key. */
      readonly kid?: string | undefined;
    };

/** For openid-client, also where a token is asked for in another way. @throws TypeError when the options are incomplete */
export function clientAuthentication(options: ClientAuthOptions): ClientAuth {
  switch (options.method) {
    case "client_secret_basic":
      return ClientSecretBasic(requireSecret(options.secret));
    case "client_secret_post":
      return ClientSecretPost(requireSecret(options.secret));
    case "private_key_jwt":
      return privateKeyJwt(options.keyFile, options.kid);
    case "tls_client_auth":
      return TlsClientAuth();
    default:
      throw new TypeError(
        "clientAuth.method must be client_secret_basic, client_secret_post, private_key_jwt or tls_client_auth.",
      );
  }
}

function requireSecret(secret: string): string {
  if (typeof secret === "string" && secret !== "") return secret;
  throw new TypeError("clientAuth needs a non-empty secret.");
}

/** The assertion's audience is the issuer alone, so that no other server can replay it (RFC 7523 section 3). */
function privateKeyJwt(path: string, kid: string | undefined): ClientAuth {
  const keyFile = createKeyFile(path);
  const authenticate = async (...[server, client, body, headers]: Parameters<ClientAuth>): Promise<void> => {
    const key = await keyFile.read();
    const sign = PrivateKeyJwt(kid === undefined ? key : { key, kid }, { [modifyAssertion]: nameWidelyKnown });
    await sign(server, client, body, headers);
  };
  return authenticate as ClientAuth;
}

/** Servers that know Ed25519 know it as `EdDSA`; its newer name (RFC 9864) is not widely understood yet. */
function nameWidelyKnown(header: Record<string, unknown>): void {
  if (header.alg === "Ed25519") header.alg = "EdDSA";
}
