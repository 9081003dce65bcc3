import { expect, test } from "vitest";
import { rawHeaders } from "./raw-headers.ts";

test("what came twice is seen twice, whatever its spelling", () => {
  const headers = rawHeaders({
    rawHeaders: ["Host", "a", "AUTHORIZATION", "Bearer a", "x-api-key", "", "authorization", "Bearer b"],
  });
  expect(headers.get("authorization")).toBe("Bearer a, Bearer b");
  expect(headers.get("x-api-key")).toBe("");
  expect(headers.get("api-key")).toBeNull();
});
