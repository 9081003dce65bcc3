import { expect, test } from "vitest";
import { documentFromBase64, imageFromBase64 } from "./media.ts";

test.each(["constructor", "toString", "__proto__", "image/tiff"])("a type called %s is refused by name", (type) => {
  for (const read of [
    () => imageFromBase64(type, "AAAA", "source"),
    () => documentFromBase64(type, "AAAA", "a", "source"),
  ])
    expect(read).toThrow(expect.objectContaining({ code: "unsupported", param: "source" }));
});
