import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type GatewayDatabase, openGatewayDatabase } from "../sql/open.ts";
import { issuers, startTestGateway, type TestGateway } from "../testing/gateway.ts";

let dataDir: string;
let asked: string[];
let left: number;
let answer: RequestListener;
const provider = createServer((incoming, outgoing) => {
  asked.push(incoming.url ?? "");
  incoming.resume();
  outgoing.on("close", () => {
    left += 1;
  });
  answer(incoming, outgoing);
});
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "gateway-shutdown-"));
  asked = [];
  left = 0;
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
});
afterEach(() => {
  provider.closeAllConnections();
  provider.close();
  rmSync(dataDir, { recursive: true });
});

const urlOf = () => `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
const config = (params: string, more = "") => `${issuers}
model_list: [{ model_name: slow, litellm_params: { ${params} } }]
billing: { drain_on_abort: true }
access: { groups: { users: { models: [slow] } } }
${more}
`;

async function recorded<Result>(ask: (database: GatewayDatabase) => Promise<Result>): Promise<Result> {
  const database = await openGatewayDatabase({ url: undefined, dataDir });
  try {
    return await ask(database);
  } finally {
    await database.close();
  }
}

/** @returns what makes the client leave */
async function askFor(gateway: TestGateway, streams: boolean): Promise<() => void> {
  const leaving = new AbortController();
  const response = fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    signal: leaving.signal,
    headers: { authorization: `Bearer ${await gateway.token()}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "slow", stream: true, messages: [{ role: "user", content: "x" }] }),
  });
  response.catch(() => {});
  if (streams) await (await response).body?.getReader().read();
  await vi.waitFor(() => expect(asked).not.toEqual([]), 10_000);
  return () => leaving.abort();
}

test.each([
  ["in force", false],
  ["replaced meanwhile", true],
])(
  "an answer that nobody hears any more ends with the process, and is in the record: rules %s",
  async (_, replaced) => {
    const word = `data: ${JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content: "some words " } }] })}\n\n`;
    answer = (_request, outgoing) => {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      outgoing.write(word.repeat(10));
    };
    const gateway = await startTestGateway({
      dataDir,
      yaml: config(`model: openai/slow, api_base: "${urlOf()}/v1", api_key: sk-upstream`),
    });
    const leave = await askFor(gateway, true);
    leave();
    if (replaced) await gateway.gateway.reload();
    await gateway.close();
    expect(left).toBe(1);
    expect(gateway.logs.text()).not.toContain("did not end");
    const rows = await recorded(({ kysely }) =>
      kysely.selectFrom("request_logs").select(["outcome", "model", "completion_tokens"]).execute(),
    );
    expect(rows).toEqual([{ outcome: "aborted", model: "slow", completion_tokens: expect.any(Number) }]);
    expect(Number(rows[0]?.completion_tokens)).toBeGreaterThan(20);
  },
);

test("a call that does not end does not keep the record from its proper end", async () => {
  answer = () => {};
  // Longer than shutting down waits for it: for a session in the user's name.
  const sessions = `bedrock: { assume_role_arn: "arn:aws:iam::123456789012:role/models", sts_endpoint: "${urlOf()}" }`;
  const gateway = await startTestGateway({ dataDir, yaml: config("model: bedrock/amazon.nova-lite-v1:0", sessions) });
  const leave = await askFor(gateway, false);
  leave();
  await gateway.close();
  const writers = await recorded(({ kysely }) => kysely.selectFrom("record_writers").selectAll().execute());
  expect(writers).toMatchObject([{ ending: "clean" }]);
});
