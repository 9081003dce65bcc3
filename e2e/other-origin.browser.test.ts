import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { signIn } from "@onbehalf/sandbox/token";
import type { Browser, Page } from "playwright-core";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";
import { openBrowser } from "./launchpad/chromium.ts";
import type { Outcome } from "./other-origin-page.ts";

const listening: Server[] = [];
let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
});
afterAll(async () => {
  await browser.close();
  for (const server of listening) server.close();
});

/** A team's own page, on an origin of its own, with the official clients bundled as a team would bundle them. */
async function startPage(script: string): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const [type, body] = incoming.url === "/page.js" ? ["text/javascript", script] : ["text/html", page];
    outgoing.writeHead(200, { "content-type": type }).end(body);
  });
  listening.push(server);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const page = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>';

async function bundled(): Promise<string> {
  const bundle = await rolldown({ input: join(import.meta.dirname, "other-origin-page.ts"), platform: "browser" });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  return output[0].code;
}

async function tokenOf(chain: Chain, user: string): Promise<string> {
  const issuer = `${chain.urls.identityProvider}/oauth2/llm`;
  return (await signIn({ issuer, user, audience: "llm-gateway", scope: "openid llm-gateway" })).accessToken;
}

async function pageAt(origin: string): Promise<Page> {
  const at = await browser.newPage();
  await at.goto(origin);
  await at.waitForFunction("typeof ask === 'function'");
  return at;
}

const outcomeAt = (at: Page, { urls }: Chain, token: string): Promise<Outcome> =>
  at.evaluate(`ask(${JSON.stringify([urls.gateway, token])})`);

describe("the official clients in a page of another origin", () => {
  let chain: Chain;
  let mine: string;
  let strange: string;
  beforeAll(async () => {
    const script = await bundled();
    [mine, strange] = [await startPage(script), await startPage(script)];
    chain = await startChain({ LITELLM_CORS_ORIGINS: `https://chat.example.com, ${mine}` });
  });
  afterAll(() => chain?.close());

  it("call the gateway with a person's token when the origin is allowed: whole, streamed, ids readable", async () => {
    const outcome = await outcomeAt(await pageAt(mine), chain, await tokenOf(chain, "alice"));
    expect(outcome).toEqual({
      whole: expect.stringMatching(/stand-in/i),
      streamed: outcome.whole,
      claude: expect.stringMatching(/stand-in/i),
      requestId: expect.stringMatching(/^[\w-]{36}$/),
    });
  });

  it("can read why they are refused", async () => {
    const outcome = await outcomeAt(await pageAt(mine), chain, await tokenOf(chain, "mallory"));
    expect(outcome).toMatchObject({ error: "PermissionDeniedError", status: 403 });
    expect(outcome.message).toContain("litellm-users");
  });

  it("read nothing from an origin that is not allowed, and ask nothing", async () => {
    const before = chain.logs().length;
    const outcome = await outcomeAt(await pageAt(strange), chain, await tokenOf(chain, "alice"));
    expect(outcome).toMatchObject({ error: "APIConnectionError" });
    const asked = chain.logs().slice(before);
    expect(asked.filter(({ route }) => String(route).startsWith("POST /v1/chat"))).toEqual([]);
    expect(asked.filter(({ service }) => service === "gateway")).not.toEqual([]);
  });
});
