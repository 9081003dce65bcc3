import { freePort } from "@onbehalf/service-kit/testing";
import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { providerForTest } from "./testing.ts";
import { run } from "./token-command.ts";

async function sandbox(args: string, port: number) {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await run(args.split(" "), {
    env: { SANDBOX_IDP_PORT: String(port) },
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
  });
  return { code, out: out.join(""), err: err.join("") };
}

test("prints the access token alone", async () => {
  const { provider } = await providerForTest();
  const { code, out, err } = await sandbox("token --user alice", provider.port);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  expect(decodeJwt(out.trim())).toMatchObject({ sub: "alice", aud: "launchpad", cid: "sandbox-cli" });
});

test("issuer, audience and scope are as asked; what the audience needs is added when no scope is named", async () => {
  const { provider } = await providerForTest();
  const claims = async (args: string) => decodeJwt((await sandbox(`token ${args}`, provider.port)).out.trim());
  expect(await claims("--user bob --issuer partner")).toMatchObject({ iss: provider.issuerUrl("partner"), sub: "bob" });
  expect(await claims("--user bob --audience voicebox")).toMatchObject({
    aud: "voicebox",
    scp: ["openid", "profile", "email", "groups", "voicebox"],
  });
  expect(await claims(`--user bob --issuer ${provider.issuerUrl("llm")} --scope openid`)).toMatchObject({
    aud: "llm-gateway",
    scp: ["openid"],
  });
});

test("--at says where the provider is; a scope without openid works as well", async () => {
  const { provider } = await providerForTest();
  const args = `token --user alice --audience llm-gateway --scope llm-gateway --at http://localhost:${provider.port}/`;
  const { out } = await sandbox(args, await freePort());
  expect(decodeJwt(out.trim())).toMatchObject({ aud: "llm-gateway", scp: ["llm-gateway"] });
  const nowhere = `http://localhost:${await freePort()}`;
  expect((await sandbox(`token --user alice --at ${nowhere}`, provider.port)).err).toContain(nowhere);
});

test("--json prints the whole answer, --decode header and claims", async () => {
  const { provider } = await providerForTest();
  const whole = JSON.parse((await sandbox("token --user carol --json", provider.port)).out);
  expect(whole).toMatchObject({ token_type: "Bearer", expires_in: 3600, id_token: expect.any(String) });
  const decoded = JSON.parse((await sandbox("token --user carol --decode", provider.port)).out);
  expect(decoded).toMatchObject({ header: { typ: "at+jwt" }, claims: { sub: "carol", groups: ["litellm-admins"] } });
});

test.each([
  ["token --user nobody", "User name and password do not match"],
  ["token --user alice --password bob", "User name and password do not match"],
  ["token --user alice --audience nowhere", "invalid_target"],
  ["token --user alice --issuer nowhere", "there are: default, llm, partner"],
  ["token --user alice --client nobody", "client is invalid"],
  ["token", "--user"],
  ["tokens", "unknown command"],
])("%s: exit 1 and the reason on standard error", async (args, reason) => {
  const { provider } = await providerForTest();
  const { code, out, err } = await sandbox(args, provider.port);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain(reason);
});

test("without a running sandbox it says how to start one", async () => {
  const port = await freePort();
  const { code, out, err } = await sandbox("token --user alice", port);
  expect([code, out]).toEqual([1, ""]);
  expect(err).toContain("npm start");
  expect(err).toContain(`http://localhost:${port}`);
});
