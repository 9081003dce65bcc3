import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Deployment } from "../../deployments.ts";
import { createCredentials } from "./credentials.ts";

interface Asked {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

let folder: string;
let asked: Asked[];
/** What the source answers; a status of 0 is no answer at all. */
let answer: (one: Asked) => { status: number; body: string };
let url: string;
const closing: (() => void)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "gateway-aws-"));
  asked = [];
  const server = createServer(async (incoming, outgoing) => {
    let body = "";
    for await (const part of incoming) body += part;
    const one = { path: incoming.url ?? "", headers: incoming.headers, form: new URLSearchParams(body) };
    asked.push(one);
    const { status, body: said } = answer(one);
    if (status > 0)
      outgoing.writeHead(status, { "content-type": said.startsWith("<") ? "text/xml" : "application/json" }).end(said);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  closing.push(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true });
  });
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"])
    vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("HOME", folder);
  vi.stubEnv("AWS_CONFIG_FILE", join(folder, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(folder, "credentials"));
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) close();
});

const deployment = { params: { model: "bedrock/x" } } as unknown as Deployment;
const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();
const role = (action: string, key: string): string =>
  `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials><AccessKeyId>${key}</AccessKeyId>
<SecretAccessKey>secret</SecretAccessKey><SessionToken>session</SessionToken><Expiration>${inAnHour()}</Expiration></Credentials></${action}Result></${action}Response>`;

/** Twenty calls at once. */
async function found(): Promise<unknown> {
  const credentials = createCredentials({}, undefined);
  const all = await Promise.all(Array.from({ length: 20 }, () => credentials.of(deployment)));
  expect(new Set(all).size).toBe(1);
  return all[0];
}

interface Opened {
  /** What it has to be asked. */
  readonly path?: string;
  readonly form: object;
  readonly headers?: object;
  readonly authorization: unknown;
  /** What it gives. */
  readonly credentials: object;
}

const sources: Record<string, () => Opened> = {
  "a web identity": () => {
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", write("token", "ey.web.identity"));
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/gateway");
    vi.stubEnv("AWS_ROLE_SESSION_NAME", "gateway-1");
    vi.stubEnv("AWS_ENDPOINT_URL_STS", url);
    answer = () => ({ status: 200, body: role("AssumeRoleWithWebIdentity", "ASIAWEB") });
    return {
      form: {
        Action: "AssumeRoleWithWebIdentity",
        RoleArn: "arn:aws:iam::123456789012:role/gateway",
        RoleSessionName: "gateway-1",
        WebIdentityToken: "ey.web.identity",
      },
      authorization: undefined,
      credentials: { accessKeyId: "ASIAWEB", secretAccessKey: "secret", sessionToken: "session" },
    };
  },
  "EKS Pod Identity": () => {
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${url}/v1/credentials`);
    vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", write("pod-token", "ey.pod"));
    answer = () => ({
      status: 200,
      body: JSON.stringify({
        AccessKeyId: "ASIAPOD",
        SecretAccessKey: "secret",
        Token: "session",
        Expiration: inAnHour(),
      }),
    });
    return {
      path: "/v1/credentials",
      form: {},
      authorization: "ey.pod",
      credentials: { accessKeyId: "ASIAPOD", secretAccessKey: "secret", sessionToken: "session" },
    };
  },
  "a profile's role": () => {
    write("credentials", "[base]\naws_access_key_id = AKIABASE\naws_secret_access_key = base-secret\n");
    write(
      "config",
      "[profile work]\nrole_arn = arn:aws:iam::123456789012:role/work\nsource_profile = base\nrole_session_name = w\n",
    );
    vi.stubEnv("AWS_PROFILE", "work");
    vi.stubEnv("AWS_ENDPOINT_URL_STS", url);
    answer = () => ({ status: 200, body: role("AssumeRole", "ASIAWORK") });
    return {
      form: { Action: "AssumeRole", RoleArn: "arn:aws:iam::123456789012:role/work", RoleSessionName: "w" },
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIABASE\/\d{8}\/eu-west-1\/sts\/aws4_request/,
      ),
      credentials: { accessKeyId: "ASIAWORK", secretAccessKey: "secret", sessionToken: "session" },
    };
  },
  "single sign-on": () => {
    write(
      "config",
      "[profile dev]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = Dev\n[sso-session s]\nsso_region = eu-west-1\nsso_start_url = https://example.awsapps.com/start\n",
    );
    mkdirSync(join(folder, ".aws/sso/cache"), { recursive: true });
    write(
      `.aws/sso/cache/${createHash("sha1").update("s").digest("hex")}.json`,
      JSON.stringify({
        accessToken: "sso-token",
        expiresAt: inAnHour(),
        region: "eu-west-1",
        startUrl: "https://example.awsapps.com/start",
      }),
    );
    vi.stubEnv("AWS_PROFILE", "dev");
    vi.stubEnv("AWS_ENDPOINT_URL_SSO", url);
    answer = () => ({
      status: 200,
      body: JSON.stringify({
        roleCredentials: {
          accessKeyId: "ASIASSO",
          secretAccessKey: "secret",
          sessionToken: "session",
          expiration: Date.now() + 3_600_000,
        },
      }),
    });
    return {
      path: "/federation/credentials?account_id=123456789012&role_name=Dev",
      form: {},
      headers: { "x-amz-sso_bearer_token": "sso-token" },
      authorization: undefined,
      credentials: { accessKeyId: "ASIASSO", secretAccessKey: "secret", sessionToken: "session" },
    };
  },
};

describe.each(Object.entries(sources))("%s", (_, open) => {
  it("is asked once for all calls, as AWS's documentation says", async () => {
    const { form, authorization, credentials, path = "/", headers = {} } = open();
    expect(await found()).toMatchObject(credentials);
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(asked[0]?.form ?? [])).toMatchObject(form);
    expect(asked[0]?.headers.authorization).toEqual(authorization);
    expect(asked[0]).toMatchObject({ path, headers });
  });

  it("that refuses is the operator's matter, and nothing is sent without credentials", async () => {
    open();
    answer = () => ({ status: 403, body: refusal });
    await expect(found()).rejects.toMatchObject({
      code: "upstream_denied",
      message: expect.stringContaining("no AWS credentials"),
    });
  });
});

const refusal =
  '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized</Message></Error></ErrorResponse>';

it("a source that is away for the moment is worth another attempt", async () => {
  sources["a web identity"]?.();
  answer = () => ({ status: 503, body: "<html></html>" });
  await expect(found()).rejects.toMatchObject({ code: "upstream_unavailable" });
});

it("no source at all is said in words", async () => {
  await expect(found()).rejects.toMatchObject({
    code: "upstream_denied",
    message: "The gateway has no AWS credentials. Tell its operator.",
  });
});

it("a profile that another program writes anew is read anew, once AWS refuses what it had", async () => {
  const keys = (name: string): string =>
    `[default]\naws_access_key_id = ${name}\naws_secret_access_key = s\naws_session_token = t\n`;
  write("credentials", keys("ASIAOLD"));
  const credentials = createCredentials({}, undefined);
  expect(await credentials.of(deployment)).toMatchObject({ accessKeyId: "ASIAOLD" });
  write("credentials", keys("ASIANEW"));
  expect(credentials.of(deployment)).toMatchObject({ accessKeyId: "ASIAOLD" });
  credentials.forget();
  expect(await credentials.of(deployment)).toMatchObject({ accessKeyId: "ASIANEW" });
});
