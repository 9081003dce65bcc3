import { afterAll, beforeAll, expect, it } from "vitest";
import { type Chain, startChain } from "../chain.ts";

let chain: Chain;
beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain.close());

it("someone who leaves in the middle of an answer ends the work at every hop, down to Bedrock", async () => {
  const alice = chain.person();
  await alice.signIn("alice");
  const pause = { fault: "pause", milliseconds: 120_000, after: 2, operation: "converse-stream" };
  const told = await fetch(`${chain.urls.bedrock}/sandbox/faults`, { method: "POST", body: JSON.stringify(pause) });
  expect(told.ok).toBe(true);

  const leaving = new AbortController();
  const response = await alice.post(
    "/api/v1/voicebox/stream/ask",
    { query: "Who is Bob?" },
    { signal: leaving.signal },
  );
  expect(response.status).toBe(200);
  await response.body?.getReader().read();
  leaving.abort();

  const trace = response.headers.get("traceparent")?.split("-")[1];
  const outcomes = () =>
    Object.fromEntries(
      chain
        .logs()
        .filter(({ trace_id, msg }) => trace_id === trace && msg === "request")
        .map(({ service, outcome }) => [String(service), outcome]),
    );
  // Long before the pause at Bedrock would end: nobody has waited for it.
  const everybody = { launchpad: "aborted", voicebox: "aborted", gateway: "aborted" };
  await expect.poll(outcomes, { timeout: 30_000 }).toEqual(everybody);
}, 60_000);
