import { describe, expect, test } from "vitest";
import { GatewayError } from "../errors.ts";
import { createTargetCheck } from "./canonical-path.ts";

describe("with a query", () => {
  const check = createTargetCheck();

  test.each(["/v1/models?", "/v1/models?a=%2f..%2f&b=//", "/model/us.x%3A0/converse?x=y"])("%s is taken", (target) => {
    expect(() => check(target)).not.toThrow();
  });

  test.each([
    "//v1/models?x",
    "/v1/%6dodels?x",
    "/v1/../key/list?x",
    "/model/a%2f%2fb/converse?x",
    "/v1/models?x#y",
    "/v1/models#?x",
    "/v1/models?x=%00",
    "?/v1/models",
    `/v1/models?x=${"y".repeat(8_200)}`,
  ])("%s is refused", (target) => {
    expect(() => check(target)).toThrow(GatewayError);
  });
});

describe("percent-encoding", () => {
  const check = createTargetCheck();

  test.each(["/model/a%3Ab/converse", "/v1/models/a%2Fb", `/models/${"a".repeat(256)}`])("%s is taken", (target) => {
    expect(() => check(target)).not.toThrow();
  });

  test.each(["/key/model/a%3Ab", "/x/v1/models/a%2Fb", "/model/a/b%3Ac", `/models/${"a".repeat(257)}`])(
    "%s is refused",
    (target) => {
      expect(() => check(target)).toThrow(GatewayError);
    },
  );
});

describe("what is remembered of targets that were taken", () => {
  test("holds no query, which may be a secret", () => {
    const admitted = new Set<string>();
    const check = createTargetCheck(admitted);
    check("/key/list?key=sk-canary");
    check("/key/list");
    expect([...admitted]).toEqual(["/key/list"]);
  });

  test("is little, however many addresses strangers make up", () => {
    const admitted = new Set<string>();
    const check = createTargetCheck(admitted);
    for (let index = 0; index < 5_000; index += 1) check(`/v1/${index}`);
    expect(admitted.size).toBeLessThanOrEqual(256);
  });

  test("says nothing about what was refused", () => {
    const check = createTargetCheck();
    for (let turn = 0; turn < 2; turn += 1) expect(() => check("//v1/models")).toThrow(GatewayError);
  });
});
