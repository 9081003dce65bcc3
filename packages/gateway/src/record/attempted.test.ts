import { afterEach, beforeEach, expect, test } from "vitest";
import { issuers, startTestGateway, type TestGateway } from "../testing/gateway.ts";

const yaml = `${issuers}
model_list:
  - model_name: nova
    litellm_params: { model: bedrock/amazon.nova-lite-v1:0, aws_region_name: us-east-1 }
  - model_name: nova
    litellm_params: { model: bedrock/amazon.nova-micro-v1:0, aws_region_name: us-east-1, order: 1 }
  - model_name: secret
    litellm_params: { model: bedrock/amazon.nova-pro-v1:0, aws_region_name: us-east-1 }
router_settings: { num_retries: 0 }
access:
  groups:
    users: { models: [nova] }
`;

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway({ yaml });
});
afterEach(() => gateway.close());

async function rowOf(body: object) {
  const token = await gateway.token();
  const { status } = await gateway.chat(token, { model: "nova", ...body });
  const { json } = await gateway.call("/audit/events?limit=1", { token });
  return { status, row: json.events[0] };
}

test("a call that the provider refused names the model that was asked, and costs nothing", async () => {
  gateway.upstream.failure = { status: 400, body: { message: "The input is not valid." } };
  const { status, row } = await rowOf({});
  expect(status).toBe(400);
  expect(row).toMatchObject({ provider_model: "bedrock/amazon.nova-lite-v1:0", outcome: "error", tokens: 0 });
  expect(row.cost_usd).toBeNull();
});

test("of several that were asked in turn it is the last", async () => {
  gateway.upstream.failure = { status: 403, body: { message: "No access to this model." } };
  const { status, row } = await rowOf({});
  expect(status).toBe(502);
  expect(row).toMatchObject({ provider_model: "bedrock/amazon.nova-micro-v1:0", error_code: "upstream_denied" });
});

test("who may not call a model has none", async () => {
  const { status, row } = await rowOf({ model: "secret" });
  expect([status, row.provider_model]).toEqual([403, null]);
});
