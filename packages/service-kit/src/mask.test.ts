import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createMask, mask } from "./mask.ts";

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.canary-signature_x";

describe("hides", () => {
  test.each([
    ["a JWT inside a longer text", `refused ${jwt}, sorry`, "refused [masked], sorry"],
    ["a JWT without its signature", `x=${jwt.split(".").slice(0, 2).join(".")}`, "x=[masked]"],
    ["a JWE with an empty part", "got eyJhbGciOiJkaXIifQ..canaryiv.canaryct.canarytag.", "got [masked]"],
    ["virtual and model keys", "key sk-canary-1234 and ob_canary_5678", "key [masked] and [masked]"],
    ["a bearer header in prose", "Bearer canary.opaque.value failed", "Bearer [masked] failed"],
    ["basic credentials", "authorization was Basic Y2FuYXJ5OmNhbmFyeQ==", "authorization was Basic [masked]"],
    ["a password in a URL", "postgresql://app:canary@db:5432/x", "postgresql://[masked]@db:5432/x"],
    ["a password without a user in a URL", "redis://:canary@cache:6379", "redis://[masked]@cache:6379"],
    ["tokens in a query", "/cb?access_token=canary&x=1", "/cb?access_token=[masked]&x=1"],
    [
      "a login code in a query",
      "/oauth/okta/redirect?code=canary&state=s",
      "/oauth/okta/redirect?code=[masked]&state=s",
    ],
    ["a cookie header in prose", "sent Cookie: a=canary; b=canary", "sent Cookie: [masked]"],
    ["a host cookie", "with __Host-session=canary; Path=/", "with __Host-session=[masked]; Path=/"],
    [
      "a form body",
      "grant_type=x&client_secret=canary&subject_token=canary",
      "grant_type=x&client_secret=[masked]&subject_token=[masked]",
    ],
    ["what Node prints of an object", "{ clientSecret: 'canary', id: 1 }", "{ clientSecret: '[masked]', id: 1 }"],
    ["a JSON member", '{"apiKey":"can\\"ary","a":1}', '{"apiKey":"[masked]","a":1}'],
    ["a list of cookies", '{"set-cookie":["a=canary","b=canary"],"a":1}', '{"set-cookie":"[masked]","a":1}'],
    [
      "JSON inside JSON",
      '{"body":"{\\"refresh_token\\":\\"canary\\"}"}',
      '{"body":"{\\"refresh_token\\":\\"[masked]\\"}"}',
    ],
    ["a private key", "-----BEGIN PRIVATE KEY-----\\ncanary\\n-----END PRIVATE KEY-----", "[masked]"],
    [
      "a private key before an escaped quote",
      '{"a":"-----BEGIN PRIVATE KEY-----canary\\"","b":1}',
      '{"a":"[masked]","b":1}',
    ],
    [
      "the id of an AWS key",
      "Credential=AKIAXYZXYZXYZXYZ1234/20261122/us-east-1",
      "Credential=[masked]/20261122/us-east-1",
    ],
    ["a key of Bedrock alone", "with ABSKQmVkcm9ja0FQSUtleS1jYW5hcnk= sent", "with [masked] sent"],
    ["a passing key of Bedrock alone", "with bedrock-api-key-YmVkcm9jay5hbWF6 sent", "with [masked] sent"],
    [
      "what an AWS SDK prints of its keys",
      "{ accessKeyId: 'x', secretAccessKey: 'canary/canary' }",
      "{ accessKeyId: 'x', secretAccessKey: '[masked]' }",
    ],
    ["a private key that was cut off", "-----BEGIN RSA PRIVATE KEY-----\ncanary", "[masked]"],
  ])("%s", (_, text, expected) => {
    expect(mask(text)).toBe(expected);
    expect(mask(text)).not.toContain("canary");
  });

  test("known secrets by their value, also where JSON escapes them", () => {
    const hide = createMask(['quo"te-canary', "plain-canary.*"]);
    expect(hide('{"a":"quo\\"te-canary","b":"x plain-canary.* y"}')).toBe('{"a":"[masked]","b":"x [masked] y"}');
  });

  test("the whole of a value that begins as another does", () => {
    expect(createMask(["canary-of-one", "canary-of-one-and-more"])("x canary-of-one-and-more y")).toBe("x [masked] y");
  });

  test("nothing by a value too short to be one", () => {
    expect(createMask(["abc", ""])("abcdef")).toBe("abcdef");
  });
});

describe("leaves", () => {
  test.each([
    '{"prompt_tokens":12,"tokens":40,"token_endpoint":"http://localhost:9400/token"}',
    '{"error_code":"token_expired","outcome":"denied"}',
    "token audience is [a], this service is b",
    "subject_token_type urn:ietf:params:oauth:token-type:access_token",
    'Bearer error="invalid_token"',
    "model us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "task-runner disk-full https://issuer.example/oauth2/default",
    "key_id abc, keys loaded: 3",
    "cookie was absent",
  ])("%s", (text) => {
    expect(mask(text)).toBe(text);
  });

  test("JSON as JSON: a masked line can still be parsed", () => {
    const line = JSON.stringify({
      a: `Bearer ${jwt}"\\`,
      cookie: 'x="1"; y=\\',
      nested: { password: 'p"w', list: [{ token: jwt }], text: "Cookie: a=b" },
      last: true,
    });
    expect(JSON.parse(mask(line))).toMatchObject({ nested: { password: "[masked]" }, last: true });
  });
});

test("whatever a text begins or ends with, it hides and reaches nothing beside itself", () => {
  const sign = fc.constantFrom(
    "token",
    "cookie",
    "authorization",
    "=",
    ":",
    '"',
    "'",
    "\\",
    " ",
    "\n",
    ",",
    "}",
    "]",
    "x",
  );
  const words = fc.constantFrom(
    "-----BEGIN PRIVATE KEY-----",
    "Bearer ",
    "eyJabcdefgh",
    "://",
    "u:p@",
    "?code=",
    "__Host-x=",
  );
  const text = fc.array(fc.oneof({ weight: 3, arbitrary: sign }, words), { minLength: 1, maxLength: 8 });
  const cases = fc.array(
    text.map((parts) => parts.join("")),
    { minLength: 3, maxLength: 3 },
  );
  fc.assert(
    fc.property(cases, ([a, b, name]) => {
      const line = JSON.stringify({ first: 1, a, list: [b], [`x${name}x`]: a, last: 2 });
      const read = JSON.parse(mask(line));
      expect(Object.keys(read)).toHaveLength(5);
      expect(read).toMatchObject({ first: 1, list: [expect.any(String)], last: 2 });
    }),
    { numRuns: 20_000 },
  );
});

test("a long hostile text is masked without going over it again and again", () => {
  const text = `token${" ".repeat(90_000)}Bearer ${"a.".repeat(90_000)} ${"eyJ".repeat(60_000)} ${'"token":"\\'.repeat(20_000)}`;
  expect(mask(text)).not.toMatch(/eyJ|a\.a/);
});

describe("a long text of a stranger's takes as long as it is:", () => {
  const length = 250_000;
  /** With a sign of each rule, so that none is passed over. */
  const signs = "eyJaaaaaaaaaa x://a:b@ ";
  test.each([
    ["colons in an address", "://", ":"],
    ["addresses", "", "://a:"],
    ["lines behind a header", "cookie:", "\n"],
    ["blanks behind a header", "authorization:", " "],
    ["names of secrets", "", "token:"],
    ["names with something behind", "", "api-key:aaaaaa!"],
    ["names with blanks", "token", " "],
    ["names with backslashes", "token", "\\"],
    ["names of cookies", "", "__Host-"],
    ["beginnings of keys", "", "-----BEGIN PRIVATE KEY-----"],
    ["beginnings of lists", "", 'token":["a",'],
    ["schemes", "", "bearer "],
  ])("%s", (_, begin, again) => {
    const text = `${signs}${begin}${again.repeat(length / again.length)}[masked]`;
    const begun = performance.now();
    mask(text);
    // Each that read to the end anew took many seconds.
    expect(performance.now() - begun).toBeLessThan(2_000);
  });
});
