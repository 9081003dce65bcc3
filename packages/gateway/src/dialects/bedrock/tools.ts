import {
  booleanField,
  type JsonObject,
  objectAt,
  requiredList,
  requiredObject,
  requiredString,
  stringField,
} from "../body.ts";
import type { Conversation, Tool, ToolChoice } from "../conversation.ts";
import { cachePointBlock } from "./content.ts";
import { memberOf, type Readers } from "./member.ts";

const toolReaders: Readers<Tool> = { toolSpec, cachePoint: cachePointBlock };

const choiceReaders: Readers<ToolChoice> = {
  auto: () => ({ auto: {} }),
  any: () => ({ any: {} }),
  tool: (choice, path) => {
    const tool = requiredObject(choice, "tool", `${path}.tool`);
    return { tool: { name: requiredString(tool, "name", `${path}.tool.name`) } };
  },
};

/** `toolConfig` of a Converse body. @throws GatewayError naming a tool that runs elsewhere than at the client */
export function converseTools(config: JsonObject | undefined): Pick<Conversation, "tools" | "toolChoice"> {
  if (config === undefined) return { tools: [] };
  const path = "toolConfig.tools";
  const list = requiredList(config, "tools", path);
  const tools = list.map((_, index) => memberOf(objectAt(list, index, path), `${path}[${index}]`, toolReaders));
  if (config.toolChoice == null) return { tools };
  const at = "toolConfig.toolChoice";
  return { tools, toolChoice: memberOf(requiredObject(config, "toolChoice", at), at, choiceReaders) };
}

function toolSpec(tool: JsonObject, path: string): Tool {
  const at = `${path}.toolSpec`;
  const spec = requiredObject(tool, "toolSpec", at);
  const name = requiredString(spec, "name", `${at}.name`);
  const description = stringField(spec, "description", `${at}.description`);
  const schema = requiredObject(spec, "inputSchema", `${at}.inputSchema`);
  const json = requiredObject(schema, "json", `${at}.inputSchema.json`);
  const strict = booleanField(spec, "strict", `${at}.strict`);
  return {
    toolSpec: {
      name,
      ...(description === undefined ? {} : { description }),
      inputSchema: { json },
      ...(strict === undefined ? {} : { strict }),
    },
  };
}
