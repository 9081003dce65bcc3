import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Caller, localAdministrator } from "../caller.ts";
import { chainedRow, genesis, hashRow, link } from "./chain.ts";
import { createRowOf, type Draft } from "./draft.ts";
import { type RequestRow, rowColumns } from "./row.ts";

const ending = { status: 200, aborted: false, durationMs: 1234.567 };

const plain: Draft = {
  id: "b",
  requestTime: "2026-11-22T10:00:00.001Z",
  traceId: "t",
  requestId: "r",
  route: "GET unmatched",
  detail: {},
};

/** Everything a request can bring that is unlike other text and other numbers. */
const caller: Caller = {
  ...localAdministrator("alice"),
  credential: "jwt",
  issuer: 'https://id.example.com/"a"',
  userId: "alice@example.com",
  email: "alice@example.com",
  teamId: "graph\u2028team",
  role: "standard",
  groups: ['a"b', "ünï", "\ud83d\ude00"],
  audience: ["llm-gateway"],
  actors: [
    { issuer: undefined, subject: "voicebox" },
    { issuer: "https://id.example.com", subject: "launch\\pad" },
  ],
  expiresAt: 1795341600.5,
  key: {
    id: "k-1",
    former: [],
    alias: "night\tjob",
    models: [],
    routes: [],
    explicit: false,
    limits: { rpm: undefined, tpm: undefined, maxParallel: undefined, budget: undefined },
  },
};
const settled = {
  outcome: "ok" as const,
  status: 200,
  errorCode: undefined,
  providerModel: "bedrock/acme",
  usage: {
    inputTokens: 11.4,
    outputTokens: 1e15,
    cacheReadTokens: -3,
    cacheWriteTokens: Number.NaN,
    reasoningTokens: 0,
  },
  firstTokenMs: 12.3456,
};
const odd: Draft = {
  id: "01a202a4-e76c-799a-8ebb-8e8a0c832c00",
  requestTime: "2026-11-22T10:00:00.000Z",
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  requestId: "r:1",
  route: "POST /v1/chat/completions",
  caller,
  call: { model: 'claude "4"\n\u0000\ud800 \ud83d\ude00', stream: true },
  settlement: settled,
  costUsd: 2.2e-7,
  detail: { admin: { action: 'ge"n', keys: ["k\u0000"] } },
};

describe("a row's text", () => {
  test("is every column in its place", () => {
    const { fields } = createRowOf()(odd, ending);
    const values = JSON.parse(fields);
    expect(values).toHaveLength(rowColumns.length);
    expect(Object.fromEntries(rowColumns.map((column, index) => [column, values[index]]))).toEqual({
      id: "01a202a4-e76c-799a-8ebb-8e8a0c832c00",
      request_time: "2026-11-22T10:00:00.000Z",
      user_id: "alice@example.com",
      user_email: "alice@example.com",
      issuer: 'https://id.example.com/"a"',
      subject: "alice",
      team_id: "graph\u2028team",
      client_id: null,
      actors: '[{"issuer":null,"subject":"voicebox"},{"issuer":"https://id.example.com","subject":"launch\\\\pad"}]',
      app: "night\tjob",
      groups: '["a\\"b","ünï","\ud83d\ude00"]',
      audience: '["llm-gateway"]',
      scopes: "[]",
      credential: "jwt",
      role: "standard",
      key_id: "k-1",
      expires_at: 1795341600.5,
      route: "POST /v1/chat/completions",
      model: 'claude "4"\n\ufffd\ufffd \ud83d\ude00',
      provider_model: "bedrock/acme",
      status: 200,
      outcome: "ok",
      error_code: null,
      rule: null,
      prompt_tokens: 11,
      completion_tokens: 1e12,
      cache_read_tokens: 0,
      cache_write_tokens: 0,
      tokens: 1e12 + 11,
      cost_usd: 2.2e-7,
      duration_ms: 1234.57,
      first_token_ms: 12.35,
      stream: true,
      trace_id: "4bf92f3577b34da6a3ce929d0e0e4736",
      request_id: "r:1",
      detail: '{"admin":{"action":"ge\\"n","keys":["k\\u0000"]}}',
    });
  });

  test("whatever a request brings, it is one line of JSON that both databases take, as JSON itself writes it", () => {
    const text = fc.string({ unit: "binary" });
    const anything = fc.oneof(text, fc.constantFrom("a\u0000", "\ud800", '"', "\\", "\n", "\u2028"));
    const figure = fc.oneof(fc.double(), fc.integer());
    const rowOf = createRowOf();
    fc.assert(
      fc.property(anything, anything, anything, figure, figure, figure, (model, app, code, tokens, usd, ms) => {
        const usage = { ...settled.usage, inputTokens: tokens };
        const settlement = { ...settled, errorCode: code, firstTokenMs: ms, usage };
        const draft = { ...odd, app, costUsd: usd, rule: code, settlement, call: { model, stream: false } };
        const detail = { [app]: model };
        const { fields } = rowOf({ ...draft, requestId: code, detail }, { ...ending, durationMs: ms });
        const values: unknown[] = JSON.parse(fields);
        expect(fields).not.toContain("\n");
        expect(JSON.stringify(values)).toBe(fields);
        expect(values).toHaveLength(rowColumns.length);
        for (const value of values) {
          if (typeof value === "string") expect([value.isWellFormed(), value.includes("\0")]).toEqual([true, false]);
        }
      }),
    );
  });
});

describe("the chain", () => {
  test("each row is bound to its writer, its number, the row before, and all its columns", () => {
    const chained = chainedRow(link(createRowOf()(plain, ending).fields, "w", genesis("w")));
    expect(chained).toMatchObject({ writer_id: "w", writer_seq: 1, previous_hash: genesis("w").hash });
    expect(hashRow(chained, "w", 1, chained.previous_hash)).toBe(chained.hash);
    expect(hashRow(chained, "other", 1, chained.previous_hash)).not.toBe(chained.hash);
    expect(hashRow(chained, "w", 2, chained.previous_hash)).not.toBe(chained.hash);
    for (const column of rowColumns) {
      const altered = { ...chained, [column]: `${chained[column]}x` } as unknown as RequestRow;
      expect(hashRow(altered, "w", 1, chained.previous_hash), column).not.toBe(chained.hash);
    }
  });

  test("hashes are to the letter those of records that were written before", () => {
    const rowOf = createRowOf();
    const first = link(rowOf(odd, ending).fields, "w-1", genesis("w-1"));
    const second = link(rowOf(plain, { status: 404, aborted: false, durationMs: 0 }).fields, "w-1", first);
    expect([first.hash, second.hash]).toEqual([
      "7f19d99fed77838b16248378e3aefaebc2f43d9c9db1b7c280097c21708b2316",
      "249f8b9cf908e7e52ad76eb5f50716c9f08d8d80a2038adb32f44c811f6acad8",
    ]);
    for (const row of [first, second].map(chainedRow)) {
      expect(hashRow(row, row.writer_id, row.writer_seq, row.previous_hash)).toBe(row.hash);
    }
  });
});
