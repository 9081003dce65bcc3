import type { Environment } from "./environment.ts";
import type { FileSettings } from "./file-schema.ts";
import type { TrustedIssuer } from "./issuers.ts";

/** What starts and will not do what its author wants of it: said at the start and by `config check`. */
export function warningsOf(
  file: FileSettings,
  environment: Environment,
  issuers: readonly TrustedIssuer[],
): readonly string[] {
  return [...aboutCredentials(file, issuers), ...aboutModels(file), ...aboutSignIn(file, environment)];
}

/** Whose credentials open this gateway. */
function aboutCredentials(file: FileSettings, issuers: readonly TrustedIssuer[]): readonly string[] {
  if (issuers.length > 0 || !file.general_settings.enable_jwt_auth) return [];
  return ["no issuer is configured: no person's token is accepted, only keys (issuers, or JWT_PUBLIC_KEY_URL)"];
}

function aboutModels({ model_list: models }: FileSettings): readonly string[] {
  if (models.length > 0) return [];
  return ["model_list is empty: nothing can be asked, and /system/ready is 503 until the file names a model there"];
}

/** Clients follow a sign-in to the address they know this gateway by, and to no other. */
function aboutSignIn({ sign_in: signIn }: FileSettings, { PUBLIC_URL: address }: Environment): readonly string[] {
  if (signIn === undefined || address !== undefined) return [];
  return ["sign_in needs PUBLIC_URL, the address clients use: without it only clients on this machine can sign in"];
}
