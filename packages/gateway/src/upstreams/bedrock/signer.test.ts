import { createHash, createHmac, randomBytes } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, it } from "vitest";
import { createSigner, type SignableRequest } from "./signer.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const at = Date.UTC(2015, 7, 30, 12, 36, 0);
const host = { host: "example.amazonaws.com" };
const unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** From AWS's published Signature Version 4 test suite: name, what differs from GET / without body, signature. */
const vectors: readonly (readonly [string, Partial<SignableRequest>, string])[] = [
  ["get-vanilla", {}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"],
  ["post-vanilla", { method: "POST" }, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"],
  [
    "post-x-www-form-urlencoded",
    {
      method: "POST",
      headers: { ...host, "content-type": "application/x-www-form-urlencoded" },
      body: "Param1=value1",
    },
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  ],
  [
    "get-vanilla-query-order-key-case",
    {
      query: [
        ["Param2", "value2"],
        ["Param1", "value1"],
      ],
    },
    "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
  ],
  [
    "get-header-value-trim",
    { headers: { ...host, "my-header1": " value1", "my-header2": ' "a   b   c"' } },
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  ],
  [
    "post-header-key-sort",
    { method: "POST", headers: { "my-header1": "value1", ...host } },
    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  ],
  ["get-utf8", { path: "/ሴ" }, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"],
  ["get-unreserved", { path: `/${unreserved}` }, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"],
  [
    "normalize-path get-relative-relative",
    { path: "/example1/example2/../.." },
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  ],
  [
    "normalize-path get-slashes",
    { path: "//example//" },
    "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
  ],
];

describe("AWS's published Signature Version 4 vectors", () => {
  it.each(vectors)("%s", (_, difference, signature) => {
    const request = { method: "GET", path: "/", headers: host, body: "", ...difference };
    const signed = createSigner("service")(request, credentials, "us-east-1", at);
    const names = Object.keys({ ...request.headers, "x-amz-date": "" })
      .sort()
      .join(";");
    expect(signed["x-amz-date"]).toBe("20150830T123600Z");
    expect(signed.authorization).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${names}, Signature=${signature}`,
    );
  });
});

/** Smithy's hash interface, over node:crypto. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", secret as string | Uint8Array);
  }
  update(data: Uint8Array): void {
    this.#hash.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}

describe("against Smithy's signer", () => {
  const models = [
    "anthropic.claude-v2:1",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "arn:aws:bedrock:us-east-1:1:inference-profile/a.b",
    "a b!'()*~é",
  ];
  const cases = models.flatMap((model) =>
    [undefined, "session/token+=="].map((sessionToken) => ({ model, sessionToken })),
  );
  // One signer for all: what it keeps for a day, a region and a path must not mix.
  const sign = createSigner("bedrock");

  it.each(cases)("signs $model with session token $sessionToken alike", async ({ model, sessionToken }) => {
    for (const [region, day] of [
      ["us-east-1", 1],
      ["eu-central-1", 1],
      ["us-east-1", 2],
    ] as const) {
      const identity = { ...credentials, ...(sessionToken === undefined ? {} : { sessionToken }) };
      const signingDate = new Date(Date.UTC(2026, 0, day, 3, 4, 5));
      const path = `/model/${encodeURIComponent(model)}/converse`;
      const body = randomBytes(300);
      const headers = { host: "bedrock-runtime.example", "content-type": "application/json", accept: "a,  b" };
      const smithy = new SignatureV4({
        service: "bedrock",
        region,
        credentials: identity,
        sha256: Sha256,
        applyChecksum: false,
      });
      const theirs = await smithy.sign(
        { method: "POST", protocol: "https:", hostname: headers.host, path, headers, body },
        { signingDate },
      );
      const ours = sign({ method: "POST", path, headers, body }, identity, region, signingDate.getTime());
      expect(ours.authorization).toBe(theirs.headers.authorization);
    }
  });
});
