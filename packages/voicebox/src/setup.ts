import type { Env } from "@onbehalf/service-kit";
import { Agent } from "undici";
import { type Connections, openConnections } from "./connections.ts";
import { createGatewayReader, type GatewayReader } from "./gateway.ts";
import { boundStoreMemory } from "./graph/memory.ts";
import { createReadQueryParser, type ReadQueryParser } from "./graph/read-query.ts";
import { anthropicWire } from "./llm/anthropic.ts";
import { bedrockWire } from "./llm/bedrock.ts";
import { openaiWire } from "./llm/openai.ts";
import type { LlmWire } from "./llm/turn.ts";
import { createSchemas, type Schemas } from "./schemas.ts";
import { type LlmConfig, loadVbxConfig, type VbxConfig } from "./vbx-config.ts";

/** Everything that `vbx-config.json` decides, ready for use; replaced as a whole when the file is read again. */
export interface Setup {
  readonly config: VbxConfig;
  readonly wire: LlmWire;
  readonly gateway: GatewayReader;
  readonly connections: Connections;
  readonly schemas: Schemas;
  readonly parse: ReadQueryParser;
  close(): Promise<void>;
}

/**
 * @param hide told which secrets the file brings along, before anything is done with them
 * @throws ConfigError with every problem of the file and its connections
 */
export async function openSetup(path: string, env: Env, hide: (secrets: readonly string[]) => void): Promise<Setup> {
  const config = loadVbxConfig(path, env);
  hide(secretsIn(config));
  // No time limit of its own: each question has one.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: 256 });
  const parse = createReadQueryParser();
  boundStoreMemory(config.embedded_memory_mb);
  try {
    const connections = await openConnections(config, dispatcher);
    const llm = config.default_llm_config;
    return {
      config,
      connections,
      parse,
      wire: wireOf(llm, dispatcher),
      gateway: createGatewayReader(llm.server_url, dispatcher),
      schemas: createSchemas(),
      async close() {
        await connections.close();
        await dispatcher.close();
      },
    };
  } catch (error) {
    await dispatcher.close();
    throw error;
  }
}

function secretsIn({ connections }: VbxConfig): readonly string[] {
  return Object.values(connections).flatMap((connection) => {
    if (connection.type === "embedded") return [];
    const { auth } = connection;
    return auth.type === "basic" ? auth.password : auth.type === "bearer" ? auth.token : [];
  });
}

const wires = { openai: openaiWire, anthropic: anthropicWire, bedrock: bedrockWire } as const;

function wireOf(llm: LlmConfig, dispatcher: Agent): LlmWire {
  return wires[llm.llm_provider]({ serverUrl: llm.server_url, model: llm.llm_name, dispatcher });
}

/** The setup in use. A request holds the one it began with until it has ended, whatever is loaded meanwhile. */
export interface Setups {
  acquire(): { readonly setup: Setup; readonly release: () => void };
  /** @throws ConfigError when the file is wrong now; the old setup stays */
  reload(): Promise<void>;
  close(): Promise<void>;
}

interface Held {
  readonly setup: Setup;
  users: number;
  retired: boolean;
}

/** @throws ConfigError */
export async function createSetups(open: () => Promise<Setup>): Promise<Setups> {
  let current: Held = { setup: await open(), users: 0, retired: false };
  const closing = new Set<Promise<void>>();

  function retire(held: Held): void {
    held.retired = true;
    if (held.users > 0) return;
    const closed = held.setup.close();
    closing.add(closed);
    void closed.finally(() => closing.delete(closed));
  }

  return {
    acquire() {
      const held = current;
      held.users += 1;
      let released = false;
      return {
        setup: held.setup,
        release() {
          if (released) return;
          released = true;
          held.users -= 1;
          if (held.retired) retire(held);
        },
      };
    },
    async reload() {
      const next: Held = { setup: await open(), users: 0, retired: false };
      const before = current;
      current = next;
      retire(before);
    },
    async close() {
      retire(current);
      await Promise.all(closing);
    },
  };
}
