import { request } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestGateway, type TestGateway } from "../testing/gateway.ts";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.close());

/** As Codex begins: the handshake of RFC 6455 on the address of the Responses API. */
function handshake(path: string): Promise<{ status: number | undefined; upgrade: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    };
    const asked = request(`${gateway.url}${path}`, { headers });
    asked.on("response", (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode, upgrade: answer.headers.upgrade });
    });
    asked.on("upgrade", () => reject(new Error("it was taken for a WebSocket")));
    asked.on("error", reject);
    asked.end();
  });
}

test.each(["/v1/responses", "/responses", "/openai/v1/responses"])("%s is no WebSocket, and says so", async (path) => {
  expect(await handshake(path)).toEqual({ status: 426, upgrade: "HTTP/1.1" });
  expect((await gateway.call(path)).status).toBe(404);
});
