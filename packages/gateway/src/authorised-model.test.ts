import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "./testing/gateway.ts";

/** Alice may use `claude` and not `nova`. Two readers of one body must not come to two models. */
describe("the authorised model is the one that is forwarded", () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.close());

  const rest = '"max_tokens":10,"messages":[{"role":"user","content":"x"}]';
  test.each([
    ["/v1/chat/completions", `{"model":"claude","model":"nova",${rest}}`, 403],
    ["/v1/chat/completions", `{"model":"nova","model":"claude",${rest}}`, 200],
    ["/v1/chat/completions", `{"model":"claude","\\u006dodel":"nova",${rest}}`, 403],
    ["/v1/chat/completions", `{"model":"claude",${rest},"extra_body":{"model":"nova"}}`, 200],
    ["/v1/chat/completions", `{"model":"claude ",${rest}}`, 404],
    ["/v1/chat/completions", `{"model":["claude","nova"],${rest}}`, 400],
    ["/v1/messages", `{"model":"claude","model":"nova",${rest}}`, 403],
    ["/v1/messages", `{"model":"nova","model":"claude",${rest}}`, 200],
    [
      "/model/claude/converse",
      '{"modelId":"nova","model":"nova","messages":[{"role":"user","content":[{"text":"x"}]}]}',
      200,
    ],
    ["/model/nova/converse", '{"modelId":"claude","messages":[{"role":"user","content":[{"text":"x"}]}]}', 403],
  ])("%s %s: %i", async (path, body, status) => {
    const before = gateway.upstream.calls.length;
    const answer = await gateway.call(path, {
      token: await gateway.token(),
      headers: { "content-type": "application/json" },
      method: "POST",
      body,
    });
    expect(answer.status).toBe(status);
    const called = gateway.upstream.calls.slice(before);
    expect(called.map((call) => call.path.split("/")[2])).toEqual(
      status === 200 ? ["us.anthropic.claude-sonnet-4-5-20250929-v1%3A0"] : [],
    );
    for (const call of called) expect(call.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 /);
  });
});
