import type { Handler } from "../admin/handlers.ts";
import { GatewayError } from "../errors.ts";

/**
 * Codex asks for a WebSocket before it asks as everybody does. A 404 it tries again for six seconds; 426 (RFC 9110
 * section 15.5.22), with the protocol that is spoken here, it takes for a no.
 */
export const noWebSocket: Handler = (c) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket")
    throw new GatewayError("not_found", "There is nothing to be had by GET here; send a POST.");
  const message = "There are no WebSockets here; send a POST, with stream: true for events.";
  return c.json({ error: { message, type: "invalid_request_error", param: null, code: "upgrade_required" } }, 426, {
    upgrade: "HTTP/1.1",
    connection: "upgrade",
  });
};
