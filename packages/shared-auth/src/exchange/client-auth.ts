import { type ClientAuth, ClientSecretBasic, ClientSecretPost, PrivateKeyJwt } from "openid-client";
import { createKeyFile } from "./key-file.ts";

/** How the client proves itself to the token endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2). */
export type ClientAuthOptions =
  | { readonly method: "client_secret_basic" | "client_secret_post"; readonly secret: string }
  | {
      readonly method: "private_key_jwt";
      /** PEM file with an RSA, EC or Ed25519 private key; read again when it changes. */
      readonly keyFile: string;
      /** The name under which the server knows the key. */
      readonly kid?: string | undefined;
    };

/** @throws TypeError when the options are incomplete */
export function clientAuthentication(options: ClientAuthOptions): ClientAuth {
  switch (options.method) {
    case "client_secret_basic":
      return ClientSecretBasic(requireSecret(options.secret));
    case "client_secret_post":
      return ClientSecretPost(requireSecret(options.secret));
    case "private_key_jwt":
      return privateKeyJwt(options.keyFile, options.kid);
    default:
      throw new TypeError("clientAuth.method must be client_secret_basic, client_secret_post or private_key_jwt.");
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
    await PrivateKeyJwt(kid === undefined ? key : { key, kid })(server, client, body, headers);
  };
  return authenticate as ClientAuth;
}
