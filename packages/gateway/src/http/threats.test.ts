import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Route, routes } from "../routes.ts";
import { issuers, masterKey, models, startTestGateway, type TestGateway } from "../testing/gateway.ts";

let gateway: TestGateway;
let port: number;
beforeAll(async () => {
  const yaml = `${issuers}${models}\naccess: { groups: { users: { models: ["*"] } } }\ngeneral_settings: { max_request_size_mb: 1 }\n`;
  gateway = await startTestGateway({ yaml, env: { BODY_TIMEOUT_SECONDS: "1" } });
  port = gateway.gateway.port;
});
afterAll(() => gateway.close());

/** Bytes as they are, past every client's good manners. @returns the status, or 0 when the connection just ended */
function raw(text: string, { idleMs = 3_000 } = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    const done = (): void => {
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0), text: answer });
    };
    socket.setTimeout(idleMs, done);
    socket.on("data", (chunk) => {
      answer += chunk.toString();
      if (answer.includes("\r\n\r\n")) setTimeout(done, 30);
    });
    socket.on("error", done).on("end", done);
    socket.write(text);
  });
}

const get = (target: string, headers = "") =>
  raw(`GET ${target} HTTP/1.1\r\nHost: gateway\r\n${headers}Connection: close\r\n\r\n`);

describe("addresses", () => {
  const isProtected = ({ kind }: Route): boolean => kind !== "public";
  const variants: readonly ((path: string) => string)[] = [
    (path) => `/${path}`,
    (path) => `${path}/`,
    (path) => `${path}//`,
    (path) => path.replace(/\/(\w)/, (_, letter: string) => `/%${letter.charCodeAt(0).toString(16)}`),
    (path) => path.replace("/", "/%2f"),
    (path) => path.replace("/", "/%2e%2e/"),
    (path) => path.replace("/", "/x/..%2f"),
    (path) => path.replace("/", "/x/../"),
    (path) => path.replace("/", "/./"),
    (path) => `${path};x=1`,
    (path) => path.replace("/", "/..;/"),
    (path) => path.replace(/\/(\w)/, (_, letter: string) => `/%25${letter.charCodeAt(0).toString(16)}`),
    (path) => path.replace("/", "/%252e%252e/"),
    (path) => `${path}#x`,
    (path) => `http://gateway${path}`,
    (path) => `http://elsewhere${path}`,
    (path) => path.replaceAll("/", "\\"),
    (path) => `/health/liveliness/..${path}`,
    (path) => `/system/health%2f..${path}`,
    (path) => `${path}%00`,
    (path) => `${path}%20`,
    (path) => path.toUpperCase(),
    (path) => `${path}?x=/system/health`,
  ];
  const cases = (routes as readonly Route[])
    .filter(isProtected)
    .flatMap((route) =>
      variants.map((variant) => [route.method, variant(route.path.replace(":id", "claude"))] as const),
    );

  test("no spelling of any protected route is answered without a credential", async () => {
    for (const [method, target] of cases) {
      const { status } = await raw(
        `${method} ${target} HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      );
      expect([400, 401, 404], `${method} ${target}`).toContain(status);
    }
  });

  test("nor is another spelling answered with one", async () => {
    const token = await gateway.token();
    for (const target of [
      "//v1/models",
      "/%761/models",
      "/v1/models/",
      "/v1//models",
      "/x/../v1/models",
      "/v1/models;a",
      "/V1/MODELS",
    ]) {
      const { status } = await get(target, `Authorization: Bearer ${token}\r\n`);
      expect([400, 404], target).toContain(status);
    }
    expect((await get("/v1/models", `Authorization: Bearer ${token}\r\n`)).status).toBe(200);
  });

  test("a model's name in the path may be an ARN, and nothing more", async () => {
    const token = await gateway.token();
    const call = (id: string) =>
      gateway.call(`/model/${id}/converse`, {
        token,
        body: { messages: [{ role: "user", content: [{ text: "x" }] }] },
      });
    expect((await call("claude")).status).toBe(200);
    expect((await call("arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x")).status).toBe(404);
    for (const id of ["..%2f..%2fkey%2flist", "a%2f%2fb", "a%00b", "a%20b", "%E0%A4%A", "a%25b", "a%3Fb", "a%23b"]) {
      expect((await call(id)).status, id).toBe(400);
    }
  });

  test("an inference profile's, too, and a refusal is told in the words of Bedrock's clients", async () => {
    const token = await gateway.token();
    const look = (id: string) => gateway.call(`/inference-profiles/${id}`, { token });
    expect((await look("claude")).status).toBe(200);
    expect((await look("cl%61ude")).status).toBe(200);
    expect((await look("arn%3Aaws%3Abedrock%3A%3A%3Ainference-profile%2Fclaude")).status).toBe(200);
    expect((await look("arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x")).status).toBe(404);
    for (const id of ["..%2fkey%2flist", "a%2f%2fb", "a%00b", "a%20b", "%E0%A4%A", "a%25b", "a%3Fb", "a%23b"]) {
      const answer = await look(id);
      expect([answer.status, answer.headers.get("x-amzn-errortype")], id).toEqual([400, "ValidationException"]);
    }
    expect((await get("/inference-profiles/%2e%2e", `Authorization: Bearer ${token}\r\n`)).status).toBe(400);
    expect((await look("claude/")).status).toBe(400);
    expect((await look("claude/x")).status).toBe(404);
    expect((await look("claude/%78")).status).toBe(400);
    expect((await gateway.call("/inference-profile%73", { token })).status).toBe(400);
    const call = await gateway.call("/model/a%20b/converse", { token, body: {} });
    expect(call.headers.get("x-amzn-errortype")).toBe("ValidationException");
    expect((await gateway.call("/model/info/", { token })).json.error).toBe("invalid_request");
  });
});

describe("what a client may not decide", () => {
  test("forwarded headers and their underscore forms change nothing", async () => {
    const headers = [
      "X-Forwarded-Uri: /system/health",
      "X-Original-URL: /system/health",
      "X-Rewrite-URL: /",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: localhost",
      "x_forwarded_uri: /system/health",
      "X-HTTP-Method-Override: HEAD",
      "X-Forwarded-For: 127.0.0.1",
      "X-User-Email: admin@example.com",
      "X-OpenWebUI-User-Role: admin",
      "X-OpenWebUI-User-Email: carol@example.com",
    ];
    for (const header of headers) {
      expect((await get("/key/list", `${header}\r\n`)).status, header).toBe(401);
      expect(
        (await get("/key/list", `Authorization: Bearer ${await gateway.token()}\r\n${header}\r\n`)).status,
        header,
      ).toBe(403);
    }
  });

  test("a probe's user agent opens nothing", async () => {
    expect((await get("/v1/models", "User-Agent: kube-probe/1.30\r\n")).status).toBe(401);
  });

  test("a token in the query is no credential", async () => {
    expect((await get(`/v1/models?access_token=${await gateway.token()}`)).status).toBe(401);
  });

  test.each([
    ["Basic", 401],
    ["Token", 401],
    ["bearer", 200],
    ["BEARER", 200],
  ])("scheme %s: %i", async (scheme, status) => {
    expect((await get("/v1/models", `Authorization: ${scheme} ${await gateway.token()}\r\n`)).status).toBe(status);
  });

  test("two Authorization headers are 400, also when they agree", async () => {
    const line = `Authorization: Bearer ${await gateway.token()}\r\n`;
    expect((await get("/v1/models", line + line)).status).toBe(400);
  });

  test("an empty x-api-key is none", async () => {
    expect((await get("/v1/models", `Authorization: Bearer ${await gateway.token()}\r\nx-api-key:\r\n`)).status).toBe(
      200,
    );
    expect((await get("/v1/models", "x-api-key:\r\n")).status).toBe(401);
  });

  test("a challenge without a credential names no error, and says where the metadata is", async () => {
    const answer = await gateway.call("/v1/models");
    expect(answer.headers.get("www-authenticate")).toBe(
      `Bearer resource_metadata="http://localhost:${gateway.gateway.port}/.well-known/oauth-protected-resource"`,
    );
  });
});

describe("framing", () => {
  const line = "POST /v1/chat/completions HTTP/1.1\r\n";
  test.each([
    ["both lengths", `${line}Host: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two lengths", `${line}Host: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nxxxxx`],
    ["two hosts", `${line}Host: a\r\nHost: b\r\nContent-Length: 0\r\n\r\n`],
    ["no host", `${line}Content-Length: 0\r\n\r\n`],
    ["a folded header", `${line}Host: a\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
    ["a space before the colon", `${line}Host: a\r\nContent-Length : 0\r\n\r\n`],
  ])("%s: 400", async (_, text) => {
    expect((await raw(text)).status).toBe(400);
  });
});

describe("bodies", () => {
  const limit = 1_048_576;
  const chatBody = (size: number): string => {
    const frame = JSON.stringify({ model: "claude", messages: [{ role: "user", content: "" }] });
    return frame.replace('"content":""', `"content":"${"x".repeat(size - frame.length)}"`);
  };

  test("exactly the limit passes, one byte more does not", async () => {
    const token = await gateway.token();
    expect((await gateway.call("/v1/chat/completions", { token, body: chatBody(limit) })).status).toBe(200);
    const over = await gateway.call("/v1/chat/completions", { token, body: chatBody(limit + 1) });
    expect(over.status).toBe(413);
    expect(over.json.error.message).toContain(`${limit} bytes`);
  });

  test("the same when no length is announced; nothing of it is kept", async () => {
    const token = await gateway.token();
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const { status, text } = await raw(head + chunk.repeat(17));
    expect(status).toBe(413);
    // The rest of such a body is not read to find the next request behind it.
    expect(text).toMatch(/\r\nconnection: close\r\n/i);
  });

  test("a length beyond the limit is refused before a byte of the body has come", async () => {
    const token = await gateway.token();
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${limit + 1}\r\n\r\n`;
    expect((await raw(head, { idleMs: 30_000 })).status).toBe(413);
  });

  test("a body that trickles is 408", async () => {
    const token = await gateway.token();
    const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{`;
    const { status, text } = await raw(head, { idleMs: 5_000 });
    expect(status).toBe(408);
    expect(text).toContain('"error"');
  });

  test("a compressed body is refused in words, not guessed at", async () => {
    const answer = await gateway.call("/v1/chat/completions", {
      token: await gateway.token(),
      headers: { "content-encoding": "gzip" },
      body: {},
    });
    expect(answer.status).toBe(400);
    expect(answer.json.error.message).toContain("content-encoding gzip");
  });

  test.each(["destroy", "resetAndDestroy"] as const)(
    "a client that leaves in the middle of its body (%s) leaves a row, and no error of ours",
    async (how) => {
      const token = await gateway.token({ sub: `leaver-${how}` });
      const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\n`;
      const socket = connect(port, "127.0.0.1");
      socket.on("error", () => {});
      // The server's "go on" says that it has read the head and waits for the body.
      const continued = new Promise((resolve) => socket.once("data", resolve));
      socket.write(`${head}Expect: 100-continue\r\n\r\n`);
      await continued;
      socket.write("{");
      socket[how]();
      await vi.waitFor(
        async () => {
          const { json } = await gateway.call("/audit/events", { token });
          const row = json.events.find(({ route }: { route: string }) => route === "POST /v1/chat/completions");
          expect(row).toMatchObject({ outcome: "aborted", status: 499 });
        },
        { timeout: 10_000 },
      );
      expect(gateway.logs.text()).not.toContain("request failed");
    },
  );
});

describe("nothing a client sends is a 500, a stack or an echo of a secret", () => {
  const paths = (routes as readonly Route[])
    .filter(({ method, kind }) => method === "POST" && kind !== "public")
    .map(({ path }) => path.replace(":id", "claude"));

  test("any JSON in any body", async () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        fc.oneof(
          value,
          fc.record({ model: value, messages: value, key: value, models: value, route: value, input: value }),
        ),
        async (path, body) => {
          const answer = await gateway.call(path, { token: masterKey, body: JSON.stringify(body) });
          expect(answer.status, `${path} ${JSON.stringify(body)}`).not.toBe(500);
          expect(answer.text).not.toMatch(/\n\s+at |node:internal|\.ts:\d+/);
        },
      ),
      { numRuns: 150 },
    );
  });

  test("any text as a body, a query, a credential", async () => {
    const token = await gateway.token();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (text) => {
        const query = encodeURIComponent(text.toWellFormed());
        const answers = [
          await gateway.call("/v1/chat/completions", { token, body: text === "" ? " " : text.toWellFormed() }),
          await gateway.call(`/audit/events?trace=${query}&user=${query}&from=${query}`, { token }),
          await gateway.call(`/key/info?key=${query}`, { token: masterKey }),
          await gateway.call(`/spend/report?group_by=${query}&model=${query}`, { token: masterKey }),
        ];
        for (const { status, text: body } of answers) {
          expect(status).not.toBe(500);
          expect(body).not.toMatch(/\n\s+at |node:internal/);
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each([
    "x' OR pg_sleep(5)--",
    "sk-' OR 1=1 --",
    "sk-x'; DROP TABLE virtual_keys;--",
    "null",
    "undefined",
    "..",
    "eyJ.eyJ.",
    "a.b.c",
    '{"protected":"e30","payload":"e30","signature":"AA"}',
  ])("the credential %s is 401", async (credential) => {
    expect((await gateway.call("/v1/models", { token: credential })).status).toBe(401);
  });

  test.each(["sk-wrong", "sk-1234", `sk-${"x".repeat(43)}`, "sk-with.a.dot", `sk-${"x".repeat(300)}`])(
    "the key %s is told to be unknown, and not to be no key",
    async (token) => {
      const answer = await gateway.call("/v1/models", { token });
      expect(answer.status).toBe(401);
      expect(answer.text).toContain("This key is not known here");
    },
  );

  test("a hundred unknown keys ask the database a hundred times at most, and are all 401", async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        gateway.call("/v1/models", { token: `sk-unknown-${index}-${"x".repeat(30)}` }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
  });
});
