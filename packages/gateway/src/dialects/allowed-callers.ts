import { arrayField, type JsonObject, unsupported } from "./body.ts";

/**
 * Some providers let programs that a model writes call tools. Nobody runs such programs here, and a model that calls a tool
 * by itself which the client keeps to them does what the client ruled out.
 * @throws GatewayError `unsupported` when the model itself may not call the tool
 */
export function refuseIndirect(tool: JsonObject, path: string): void {
  const callers = arrayField(tool, "allowed_callers", `${path}.allowed_callers`) ?? [];
  if (callers.length > 0 && !callers.includes("direct"))
    throw unsupported(`${path}.allowed_callers`, "models call tools by themselves here. Leave it out, or add direct.");
}
