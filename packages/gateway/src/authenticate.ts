import { hash, timingSafeEqual } from "node:crypto";
import { AuthError, type Identity, type Verifier } from "@onbehalf/shared-auth";
import { type Caller, localAdministrator, localIssuer } from "./caller.ts";
import { callerFromToken, claimAt } from "./claims.ts";
import type { TrustedIssuer } from "./config/issuers.ts";
import type { Settings } from "./config/settings.ts";
import { readCredential } from "./http/credential.ts";
import type { HeaderValues } from "./http/raw-headers.ts";
import type { FindKey } from "./keys/find-key.ts";
import { callerFromKey, type VirtualKey } from "./keys/virtual-key.ts";

/** At once for the master key. @throws AuthError */
export type Authenticate = (headers: HeaderValues) => Caller | Promise<Caller>;

/** Which credentials are taken, and who knows them. */
export interface AuthenticateOptions {
  readonly settings: Pick<Settings, "issuers" | "keyAuth" | "masterKey" | "roles" | "emailDomain" | "allowedRoles">;
  /** Undefined when no issuer is configured. */
  readonly verifier: Verifier | undefined;
  readonly findKey: FindKey;
}

/** Who calls: a JWT of a trusted issuer, a virtual key, or the master key. */
export function createAuthenticate({ settings, verifier, findKey }: AuthenticateOptions): Authenticate {
  const issuers = new Map(settings.issuers.map((issuer) => [issuer.options.issuer, issuer]));
  const isMaster = createComparison(settings.masterKey);
  // The verifier gives the same identity for the same token, as long as it remembers it: so is the caller.
  const callers = new WeakMap<Identity, Caller>();
  const keyCallers = new WeakMap<VirtualKey, Caller>();

  const callerOf = (identity: Identity, token: string): Caller => {
    const known = callers.get(identity);
    if (known !== undefined) return known;
    const issuer = issuers.get(identity.issuer);
    if (issuer === undefined) throw new AuthError("issuer_untrusted", "The token's issuer is not trusted here.");
    const caller = callerFromToken(identity, issuer.mapping, settings.roles, token);
    checkKind(caller, issuer);
    checkEmailDomain(caller, settings.emailDomain);
    checkAllowedRoles(caller, issuer, settings.allowedRoles, identity.claims);
    callers.set(identity, caller);
    return caller;
  };
  const byToken = (token: string): Promise<Caller> => {
    if (verifier === undefined) {
      throw new AuthError(
        "issuer_untrusted",
        "JWTs are not accepted here: no issuer is configured (issuers, or JWT_PUBLIC_KEY_URL).",
      );
    }
    return verifier(token).then((identity) => callerOf(identity, token));
  };
  const byKey = async (token: string): Promise<Caller> => {
    const key = await findKey(token);
    // A key is a person's word handed on: who is no longer believed is not believed by way of it either.
    if (key.issuer !== localIssuer && !issuers.has(key.issuer)) {
      const message = `This key belongs to somebody of ${key.issuer}, whose tokens are no longer trusted here.`;
      throw new AuthError("issuer_untrusted", message);
    }
    const caller = keyCallers.get(key) ?? callerFromKey(key);
    keyCallers.set(key, caller);
    return caller;
  };
  return (headers) => {
    const credential = readCredential(headers);
    if (credential.kind === "jwt") return byToken(credential.token);
    if (!settings.keyAuth) {
      throw new AuthError(
        "token_type_unaccepted",
        "Keys are no longer accepted here: sign in and send the access token of your identity provider.",
      );
    }
    return isMaster(credential.token) ? masterCaller : byKey(credential.token);
  };
}

const masterCaller = localAdministrator("master-key");

/** Over digests of equal length, so that neither length nor content shows in the time it takes. */
function createComparison(secret: string | undefined): (given: string) => boolean {
  if (secret === undefined) return () => false;
  const digest = hash("sha256", secret, "buffer");
  return (given) => timingSafeEqual(hash("sha256", given, "buffer"), digest);
}

function checkKind({ kind, role, clientId }: Caller, { allowProjects }: TrustedIssuer): void {
  if (kind === "user" || allowProjects || role === "admin") return;
  throw new AuthError(
    "user_required",
    `The token speaks for the application ${clientId ?? "itself"} and for no user; send a user's token, or allow projects for its issuer (issuers[].allow_projects).`,
  );
}

function checkEmailDomain({ email, role }: Caller, domain: string | undefined): void {
  if (domain === undefined || role === "admin") return;
  if (email?.toLowerCase().endsWith(`@${domain.toLowerCase()}`)) return;
  throw new AuthError(
    "client_untrusted",
    `Only users with an e-mail address at ${domain} are let in; the token's is ${email ?? "absent"}.`,
  );
}

function checkAllowedRoles(
  { role }: Caller,
  { mapping }: TrustedIssuer,
  allowed: readonly string[] | undefined,
  claims: Readonly<Record<string, unknown>>,
): void {
  if (allowed === undefined || role === "admin") return;
  const names = mapping.role
    .flatMap((path) => [claimAt(claims, path)].flat())
    .filter((name) => typeof name === "string");
  if (names.some((name) => allowed.includes(name))) return;
  throw new AuthError(
    "client_untrusted",
    `One of the roles [${allowed.join(", ")}] is needed; the token's are [${names.join(", ")}].`,
  );
}
