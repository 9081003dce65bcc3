import fc from "fast-check";
import { expect, test } from "vitest";
import { createLogger } from "./log.ts";
import { captureLogs } from "./testing/logs.ts";

const canary = "cAnArY7";
const word = fc.stringMatching(/^[A-Za-z0-9_-]{4,30}$/).map((text) => `${text}${canary}`);
const base64url = (text: string) => Buffer.from(text).toString("base64url");

/** Every form a secret has here; the canary is in each part that must not be read. */
const secret = fc.oneof(
  word.map((text) => `${base64url('{"alg":"RS256"}')}.${base64url(`{"sub":"${text}"}`)}.${text}`),
  word.map((text) => `sk-${text}`),
  word.map((text) => `ob_live_${text}`),
  word.map((text) => `Bearer ${text}`),
  word.map((text) => `__Host-session=${text}`),
  word.map((text) => `https://issuer.example/cb?code=${text}&state=x`),
  word.map((text) => `client_secret=${text}&grant_type=x`),
  word.map((text) => `redis://user:${text}@cache:6379/0`),
  word.map((text) => `-----BEGIN PRIVATE KEY-----\n${text}\n-----END PRIVATE KEY-----`),
  word.map((text) => JSON.stringify({ refresh_token: text })),
  word.map((text) => JSON.stringify({ body: JSON.stringify({ id_token: text }) })),
);
/** What may stand before and after; nothing that would glue itself to the secret. */
const around = fc.string({ unit: "binary", maxLength: 20 }).map((text) => text.replace(/[\w.~+/=%-]+$/, " "));
const telling = fc.constantFrom(
  "authorization",
  "Cookie",
  "set-cookie",
  "clientSecret",
  "access_token",
  "x-api-key",
  "password",
);

const inText = fc.tuple(around, secret).map(([before, text]) => `${before} ${text} `);
const byName = fc
  .tuple(telling, fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })))
  .map(([name, value]) => ({ [name]: value }));
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    inText,
    byName,
    fc.array(tie("tree"), { maxLength: 3 }),
    fc.dictionary(fc.string(), tie("tree"), { maxKeys: 3 }),
    fc.string(),
    fc.double(),
  ),
}));

test("no secret, in whatever form, text or depth, is in a line; and the line is still JSON", () => {
  fc.assert(
    fc.property(tree, inText, inText, (fields, message, inner) => {
      const logs = captureLogs();
      const log = createLogger({ service: "test", destination: logs.destination });
      log.info({ fields, err: new Error(message, { cause: new Error(inner) }) }, message);
      expect(logs.text()).not.toContain(canary);
      expect(logs.text()).not.toContain(base64url(canary).slice(2, 8));
      expect(logs.lines()).toHaveLength(1);
      expect(logs.text().endsWith("}\n")).toBe(true);
    }),
    { numRuns: 500 },
  );
});
