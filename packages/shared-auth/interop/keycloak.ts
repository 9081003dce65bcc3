/**
 * The chain against a real Keycloak: a user signs in at launchpad, and the token travels by standard token exchange to
 * voicebox and on to the gateway, verified at every hop. Not part of the tests: it needs Java, Maven and a minute.
 */
import assert from "node:assert/strict";
import { createExchange } from "../src/exchange/index.ts";
import { AuthError, createVerifier, type Identity, type ScopedToken } from "../src/index.ts";
import { installKeycloak, KEYCLOAK_VERSION, type Keycloak, startKeycloak, Unavailable } from "./keycloak-server.ts";
import { logIn } from "./login.ts";
import { clientSecret, realm, user } from "./realm.ts";

const redirectUri = "http://127.0.0.1:1/callback";

async function main(): Promise<void> {
  const folder = `${process.env.ONBEHALF_DATA_DIR ?? ".onbehalf"}/interop`;
  const keycloak = await startKeycloak(await installKeycloak(folder), realm(redirectUri));
  try {
    await chain(keycloak);
    await refusals(keycloak);
  } finally {
    await keycloak.close();
  }
}

const verifierFor = ({ url: issuer }: Keycloak, audience: string) =>
  createVerifier({ issuers: [{ issuer, audience, dialect: "keycloak" }] });

const exchangeBy = ({ url }: Keycloak, clientId: string, audience: string, scopes: readonly string[] = [audience]) =>
  createExchange({
    profile: "keycloak",
    issuer: { discoveryUrl: `${url}/.well-known/openid-configuration` },
    clientId,
    clientAuth: { method: "client_secret_basic", secret: clientSecret },
    audience,
    scopes,
  });

const login = ({ url: issuer }: Keycloak) =>
  logIn({ issuer, clientId: "launchpad", secret: clientSecret, redirectUri, ...user });

async function chain(keycloak: Keycloak): Promise<void> {
  const token = await login(keycloak);
  const atLaunchpad = await verifierFor(keycloak, "launchpad-backend")(token);
  say("login", atLaunchpad);
  const forVoicebox = await exchangeBy(keycloak, "launchpad-backend", "voicebox")({ token, identity: atLaunchpad });
  const atVoicebox = await verifierFor(keycloak, "voicebox")(forVoicebox.accessToken);
  say("voicebox", atVoicebox, forVoicebox);
  const hop = { token: forVoicebox.accessToken, identity: atVoicebox };
  const forGateway = await exchangeBy(keycloak, "voicebox", "llm-gateway")(hop);
  const atGateway = await verifierFor(keycloak, "llm-gateway")(forGateway.accessToken);
  say("gateway", atGateway, forGateway);
  assert.equal(atGateway.subject, atLaunchpad.subject);
  assert.deepEqual(atGateway.audience, ["llm-gateway"]);
  assert.equal(atGateway.clientId, "voicebox");
  assert.deepEqual(atGateway.groups, ["litellm-users"]);
  assert.equal(atGateway.email, user.email);
  assert.equal(await codeOf(verifierFor(keycloak, "voicebox")(forGateway.accessToken)), "audience_mismatch");
}

/** What Keycloak answers when it refuses, and whose fault that is to us. */
async function refusals(keycloak: Keycloak): Promise<void> {
  const token = await login(keycloak);
  const identity = await verifierFor(keycloak, "launchpad-backend")(token);
  const cases: [string, string, () => Promise<unknown>][] = [
    [
      "client not in the token's aud",
      "exchange_refused",
      () => exchangeBy(keycloak, "voicebox", "llm-gateway")({ token, identity }),
    ],
    [
      "unknown audience",
      "exchange_refused",
      () => exchangeBy(keycloak, "launchpad-backend", "nowhere", ["voicebox"])({ token, identity }),
    ],
    [
      "unknown scope",
      "exchange_refused",
      () => exchangeBy(keycloak, "launchpad-backend", "voicebox", ["nothing"])({ token, identity }),
    ],
    ["unknown client", "exchange_refused", () => exchangeBy(keycloak, "nobody", "voicebox")({ token, identity })],
    [
      "no token at all",
      "subject_rejected",
      () => exchangeBy(keycloak, "launchpad-backend", "voicebox")({ token: "x.y.z", identity }),
    ],
    ["a token after logout", "subject_rejected", () => afterLogout(keycloak)],
  ];
  for (const [name, expected, work] of cases) {
    const error = await work().then(
      () => undefined,
      (error: unknown) => error,
    );
    const said = JSON.stringify((error as { cause?: { cause?: unknown } })?.cause?.cause);
    console.log(`refused  ${name}: ${error instanceof AuthError ? error.code : String(error)} ${said ?? ""}`);
    assert.equal(error instanceof AuthError ? error.code : undefined, expected, name);
  }
}

async function afterLogout(keycloak: Keycloak): Promise<unknown> {
  const token = await login(keycloak);
  const identity = await verifierFor(keycloak, "launchpad-backend")(token);
  const authorization = `Basic ${btoa(`launchpad:${clientSecret}`)}`;
  const body = new URLSearchParams({ token });
  await fetch(`${keycloak.url}/protocol/openid-connect/revoke`, { method: "POST", headers: { authorization }, body });
  return exchangeBy(keycloak, "launchpad-backend", "voicebox")({ token, identity });
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof AuthError ? error.code : String(error)),
  );
}

function say(hop: string, { subject, audience, clientId, scopes }: Identity, issued?: ScopedToken): void {
  const facts = { subject, audience, clientId, scopes, answered: issued?.scopes, expiresAt: issued?.expiresAt };
  console.log(`${hop.padEnd(8)} ${JSON.stringify(facts)}`);
}

try {
  await main();
  console.log(`interop: passed with Keycloak ${KEYCLOAK_VERSION}`);
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  console.log(`interop: SKIPPED, nothing was tested: ${error.message}.`);
}
