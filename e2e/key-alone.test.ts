import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Chain, startChain } from "./chain.ts";

const apps = `
apps:
  - { id: demo, name: Demo, connection: demo, database: demo, modes: [app_key], default: true,
      keys: [{ name: only, key: os.environ/LAUNCHPAD_DEMO_APP_KEY }] }
`;

let folder: string;
let chain: Chain;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "apps-"));
  const appsFile = join(folder, "apps.yaml");
  await writeFile(appsFile, apps);
  chain = await startChain(
    {},
    {
      // The set-up without users: Voicebox on a private network, with one key for the gateway.
      retell: ({ launchpad, voicebox, gateway }, { secrets }) => {
        const { HOST, VOICEBOX_PORT, VBX_CONFIG, GATEWAY_URL, SHUTDOWN_GRACE_SECONDS, ONBEHALF_DATA_DIR } = voicebox;
        const common = { HOST, VOICEBOX_PORT, VBX_CONFIG, GATEWAY_URL, SHUTDOWN_GRACE_SECONDS, ONBEHALF_DATA_DIR };
        return {
          launchpad: { ...launchpad, LAUNCHPAD_APPS_FILE: appsFile },
          voicebox: { ...common, REQUIRE_JWT_AUTH: "false", LLM_API_KEY: secrets.masterKey },
          gateway,
        };
      },
    },
  );
});
afterAll(async () => {
  await chain?.close();
  await rm(folder, { recursive: true, force: true });
});

async function ask(headers: Record<string, string>, { urls } = chain): Promise<Response> {
  return fetch(`${urls.launchpad}/api/v1/voicebox/ask`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ query: "Who is Bob?" }),
  });
}

describe("an application that comes with its key alone", () => {
  it("gets its answer through the whole chain, and Voicebox has warned loudly", async () => {
    const response = await ask({ authorization: `Bearer ${await chain.appKey()}`, "x-client-id": "nightly" });
    expect(response.status).toBe(200);
    expect(((await response.json()) as { result: string }).result).toContain("Bob");
    expect(chain.logs().some(({ level, service }) => service === "voicebox" && level === "warn")).toBe(true);
  });

  it("must say which client it is, and have a key that is known", async () => {
    expect((await ask({ authorization: `Bearer ${await chain.appKey()}` })).status).toBe(400);
    const unknown = await ask({ authorization: "Bearer obk_unknown", "x-client-id": "nightly" });
    expect(unknown.status).toBe(401);
  });
});

describe("where Voicebox answers known users only", () => {
  it("the key alone is refused with what to do, for no token was sent that could be another", async () => {
    const strict = await startChain(
      {},
      {
        retell: (told) => ({
          ...told,
          launchpad: { ...told.launchpad, LAUNCHPAD_APPS_FILE: join(folder, "apps.yaml") },
        }),
      },
    );
    try {
      const headers = { authorization: `Bearer ${await strict.appKey()}`, "x-client-id": "nightly" };
      const response = await ask(headers, strict);
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({
        error: "user_required",
        message: expect.stringMatching(/known users only.*X-Voicebox-App-Key/),
      });
    } finally {
      await strict.close();
    }
  });
});
