import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { start as startGateway } from "@onbehalf/gateway";
import { start as startLaunchpad } from "@onbehalf/launchpad";
import { startBedrock } from "@onbehalf/sandbox";
import { type IssuerInput, startIdentityProvider } from "@onbehalf/sandbox/idp";
import { captureLogs, freePort } from "@onbehalf/service-kit/testing";
import { start as startVoicebox } from "@onbehalf/voicebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createPerson } from "./person.ts";

/** What the page has one make in Okta, with its names. */
const authorizationServer: IssuerInput = {
  title: "Okta",
  dialect: "okta",
  audiences: { onbehalf: ["voicebox", "llm-gateway"] },
  clients: {
    "0oaSignIn": {
      name: "Launchpad",
      secret: "secret-of-the-sign-in",
      grants: ["authorization_code", "refresh_token"],
      audiences: ["onbehalf"],
      paths: { redirect: ["/oauth/okta/redirect"], postLogout: ["/"] },
    },
    "0oaLaunchpadExchange": exchanging("voicebox"),
    "0oaVoiceboxExchange": exchanging("llm-gateway"),
    "0oaClaudeCode": {
      name: "Claude Code",
      grants: ["device_code", "refresh_token"],
      audiences: ["onbehalf"],
      native: true,
    },
  },
};

function exchanging(scope: string) {
  const rule = { from: ["aus123"], subjectAudience: "onbehalf", audience: "onbehalf", scopes: [scope] };
  return { name: `for ${scope}`, privateKey: true, exchanges: [rule] };
}

const person = { given_name: "Ann", family_name: "Other", email: "ann@example.com", title: "Reader" };
const users = [
  { ...person, sub: "ann", name: "Ann Other", uid: "00u1", oid: crypto.randomUUID(), groups: ["staff"] },
  { ...person, sub: "root", name: "Ro Ot", uid: "00u2", oid: crypto.randomUUID(), groups: ["platform-admins"] },
];

const repository = resolve(import.meta.dirname, "..");
const closing: (() => Promise<unknown>)[] = [];
const logs = captureLogs();
let launchpad: string;
let gateway: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "okta-page-"));
  closing.push(() => rm(folder, { recursive: true, force: true }));
  const ports = { launchpad: await freePort(), voicebox: await freePort(), gateway: await freePort() };
  launchpad = `http://localhost:${ports.launchpad}`;
  gateway = `http://localhost:${ports.gateway}`;
  const provider = await startIdentityProvider({
    port: await freePort(),
    launchpadUrl: launchpad,
    issuers: { aus123: authorizationServer },
    users,
    ...logs,
  });
  const aws = { accessKeyId: "AKIAEXAMPLEEXAMPLE00", secretAccessKey: "a-secret-of-nothing", region: "eu-central-1" };
  const bedrock = await startBedrock({ host: "127.0.0.1", port: 0, portVariable: "PORT", ...aws, ...logs });
  closing.push(
    () => bedrock.close(),
    () => provider.close(),
  );

  const here = (text: string): string =>
    [
      ["OKTA_DOMAIN=example.okta.com", `OKTA_DOMAIN=${provider.url}`],
      ["https://example.okta.com", provider.url],
      ["https://launchpad.example.com", launchpad],
      ["https://gateway.example.com", gateway],
      ["http://gateway:4000", gateway],
      ["http://voicebox:8000", `http://localhost:${ports.voicebox}`],
      ["HOST=0.0.0.0", "HOST=127.0.0.1"],
      ["/etc/onbehalf/", `${folder}/`],
      ["/run/secrets/", `${folder}/`],
      ["/var/lib/onbehalf/", `${folder}/data/`],
    ].reduce((done, [from = "", to = ""]) => done.replaceAll(from, to), text);
  const page = here(await readFile(join(repository, "docs/okta.md"), "utf8"));
  const block = (service: string, kind: string): string => {
    const section = page.split(/^## /m).find((text) => text.startsWith(`${service}\n`)) ?? "";
    const found = new RegExp(`\`\`\`${kind}\\n([\\s\\S]*?)\`\`\``).exec(section)?.[1];
    if (found === undefined) throw new Error(`docs/okta.md has no ${kind} under ${service}`);
    return found;
  };

  const files = {
    "apps.yaml": block("Launchpad", "yaml"),
    "vbx-config.json": block("Voicebox", "json"),
    "gateway.yaml": block("Gateway", "yaml"),
    "company.ttl": await readFile(join(repository, "packages/sandbox/src/data/graph/people.ttl"), "utf8"),
    "okta-client-secret": "secret-of-the-sign-in",
    "session-secret": "0123456789abcdef0123456789abcdef",
    "launchpad.pem": provider.clientKey("0oaLaunchpadExchange"),
    "voicebox.pem": provider.clientKey("0oaVoiceboxExchange"),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);

  const quick = { SHUTDOWN_GRACE_SECONDS: "2" };
  const awsVariables = {
    AWS_ACCESS_KEY_ID: aws.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.secretAccessKey,
    AWS_ENDPOINT_URL_BEDROCK_RUNTIME: bedrock.url,
    GATEWAY_PORT: String(ports.gateway),
  };
  const services = [
    await startGateway({ ...parseEnv(block("Gateway", "sh")), ...awsVariables, ...quick }, logs),
    await startVoicebox(
      { ...parseEnv(block("Voicebox", "sh")), VOICEBOX_PORT: String(ports.voicebox), ...quick },
      logs,
    ),
    await startLaunchpad(
      { ...parseEnv(block("Launchpad", "sh")), LAUNCHPAD_PORT: String(ports.launchpad), ...quick },
      logs,
    ),
  ];
  closing.push(...services.map((service) => () => service.close()));
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

it("a person who signs in gets an answer, and it is written down as theirs", async () => {
  const ann = createPerson(launchpad);
  expect((await ann.signIn("ann")).status).toBe(200);
  const answer = await ann.post("/api/v1/voicebox/ask", { query: "Who is Bob?" });
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("Bob")]);
  const line = logs.requests().findLast(({ route }) => route === "POST /v1/chat/completions");
  expect(line).toMatchObject({ service: "gateway", subject: "ann", client_id: "0oaVoiceboxExchange", outcome: "ok" });
});

it("a member of the administrators' group finds the administration", async () => {
  const root = createPerson(launchpad);
  await root.signIn("root");
  expect(await (await root.fetch(`${launchpad}/admin`)).text()).toContain("New application");
});

it("the gateway is ready, warns of nothing, and signs clients in", async () => {
  expect((await fetch(`${gateway}/system/ready`)).status).toBe(200);
  expect(logs.text()).not.toContain("configuration: ");
  const begun = await fetch(`${gateway}/oauth/device_authorization`, { method: "POST" });
  expect(await begun.json()).toMatchObject({ user_code: expect.any(String) });
});
