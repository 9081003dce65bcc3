import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { issuers, masterKey, startTestGateway, type TestGateway } from "../testing/gateway.ts";

const yaml = `${issuers}
model_list: [{ model_name: claude, litellm_params: { model: bedrock/acme.priced-v1:0, aws_region_name: us-east-1 } }]
prices: { "acme.priced-v1:0": { input: 1000000, output: 2000000 } }
access: { groups: { users: { models: [claude] } } }
`;
/** 11 tokens in and 7 out, in dollars each. */
const ofOneCall = 25;

let gateway: TestGateway;
let made: { key: string; token_id: string };
beforeAll(async () => {
  gateway = await startTestGateway({ yaml });
  const { json } = await gateway.call("/key/generate", {
    token: masterKey,
    body: { key_alias: "reader", user_id: "robot", team_id: "crew" },
  });
  made = json;
});
afterAll(() => gateway.close());

describe("what a call has cost is told right after it, though its row is still on its way", () => {
  let calls = 0;
  test.each<[string, (json: Told) => number | undefined]>([
    ["/key/info?key={key}", (json) => json.info?.spend],
    ["/key/list?return_full_object=true&key_alias=reader", (json) => json.keys?.[0]?.spend],
    ["/user/info?user_id=robot", (json) => json.user_info?.spend],
    ["/user/info?user_id=robot&of=keys", (json) => json.keys?.[0]?.spend],
    ["/team/info?team_id=crew", (json) => json.team_info?.spend],
    ["/team/info?team_id=crew&of=keys", (json) => json.keys?.[0]?.spend],
  ])("by GET %s", async (path, spendOf) => {
    expect((await gateway.chat(made.key)).status).toBe(200);
    calls += 1;
    const { json } = await gateway.call(path.replace("{key}", made.token_id), { token: masterKey });
    expect(spendOf(json)).toBe(calls * ofOneCall);
  });

  test("by GET /user/info of one's own", async () => {
    const token = await gateway.token();
    expect((await gateway.chat(token)).status).toBe(200);
    expect((await gateway.call("/user/info", { token })).json.user_info.spend).toBe(ofOneCall);
  });

  test("by what a change of the key answers", async () => {
    expect((await gateway.chat(made.key)).status).toBe(200);
    calls += 1;
    const { json } = await gateway.call("/key/block", { token: masterKey, body: { key: made.token_id } });
    expect(json.spend).toBe(calls * ofOneCall);
  });
});

interface Told {
  readonly info?: { readonly spend: number };
  readonly keys?: readonly { readonly spend: number }[];
  readonly user_info?: { readonly spend: number };
  readonly team_info?: { readonly spend: number };
}
