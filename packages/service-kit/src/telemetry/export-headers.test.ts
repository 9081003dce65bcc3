import { expect, test } from "vitest";
import { exportHeaders } from "./export-headers.ts";

test.each([
  ["", {}],
  ["x-key=a%20b", { "x-key": "a b" }],
  ["authorization=Basic dXNlcjpwYXNzdw==", { authorization: "Basic dXNlcjpwYXNzdw==" }],
  ["authorization=Basic%20dXNlcjpwYXNzdw%3D%3D", { authorization: "Basic dXNlcjpwYXNzdw==" }],
  [" a = 1 , b=x%2Cy ,, c=", { a: "1", b: "x,y", c: "" }],
])("%j is %j", (text, headers) => {
  expect(exportHeaders(text)).toEqual(headers);
});

test.each(["x-key=100%off", "novalue", "=value", "a b=c", "a=%0Ab", "a=%E2%82%AC", "a=x\u3000y"])(
  "%j is none",
  (text) => {
    expect(exportHeaders(text)).toBeUndefined();
  },
);
