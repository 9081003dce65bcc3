import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Bench, graphFiles, startBench } from "./service.ts";

let bench: Bench;
beforeAll(async () => {
  const secret = { type: "basic", username: "reader-canary", password: "password-canary" };
  bench = await startBench({
    config: {
      default_connection: "books",
      connections: {
        demo: { type: "embedded", database: "demo", files: graphFiles, workers: 1 },
        books: {
          type: "sparql",
          url: "http://database-canary.example/{database}/query",
          auth: secret,
          description: "The books, every night.",
        },
      },
    },
  });
});
afterAll(() => bench.close());

const ask = (token?: string): Promise<Response> =>
  fetch(`${bench.service.url}/api/v1/connections`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });

describe("GET /api/v1/connections", () => {
  it("names the connections, what they are about and the default, and nothing of where they lead", async () => {
    const answer = await ask(await bench.token());
    expect(answer.status).toBe(200);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.json()).toEqual({
      connections: [
        { name: "demo", description: null, default: false },
        { name: "books", description: "The books, every night.", default: true },
      ],
    });
  });

  it("wants a token for this service, with its scope", async () => {
    expect((await ask()).status).toBe(401);
    expect((await ask(await bench.token({ aud: "llm-gateway" }))).status).toBe(401);
    expect((await ask(await bench.token({ scp: ["profile"] }))).status).toBe(403);
  });
});
