import { describe, expect, test } from "vitest";
import { isSecureFrom, isSecureUrl, requireSecureUrl } from "./fetch-json.ts";

describe("which URLs are asked", () => {
  test.each([
    "https://id.example",
    "https://id.example:8443/path?query",
    "http://localhost:9400/oauth2/default",
    "http://idp.localhost/",
    "http://127.0.0.1:9400/",
    "http://127.8.9.1/",
    "http://[::1]:9400/",
  ])("%s", (url) => {
    expect(isSecureUrl(url)).toBe(true);
  });

  test.each([
    "http://id.example",
    "http://127.0.0.1.id.example",
    "http://localhost.id.example",
    "http://10.0.0.1/",
    "http://0.0.0.0/",
    "http://[::2]/",
    "https://user@id.example",
    "https://user:pass@localhost/",
    "ftp://localhost/",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:application/json,{}",
    "//id.example",
    "/keys",
    "",
  ])("not %s", (url) => {
    expect(isSecureUrl(url)).toBe(false);
    expect(() => requireSecureUrl(url, "jwksUri")).toThrow(/jwksUri must be an https URL/);
  });

  test("a document that came by https does not lead to plain http", () => {
    expect(isSecureFrom("https://id.example/doc", "http://localhost/keys")).toBe(false);
    expect(isSecureFrom("https://id.example/doc", "https://keys.example/keys")).toBe(true);
    expect(isSecureFrom("http://localhost/doc", "http://localhost/keys")).toBe(true);
    for (const value of [undefined, null, 1, {}, ["https://id.example"]])
      expect(isSecureFrom("https://id.example", value)).toBe(false);
  });
});
