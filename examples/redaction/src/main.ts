import { serve } from "@hono/node-server";
import { redaction } from "./redaction.ts";

const { ISSUER, REDACTION_CLIENT_SECRET, GATEWAY_URL, PORT = "8100" } = process.env;
if (!ISSUER || !REDACTION_CLIENT_SECRET || !GATEWAY_URL) {
  process.stderr.write(
    "Set ISSUER, REDACTION_CLIENT_SECRET and GATEWAY_URL; the README beside this folder says to what.\n",
  );
  process.exit(78);
}
const app = redaction({ issuer: ISSUER, clientSecret: REDACTION_CLIENT_SECRET, gateway: GATEWAY_URL });
serve({ fetch: app.fetch, port: Number(PORT), hostname: "127.0.0.1" }, ({ port }) => {
  process.stdout.write(`redaction listens on http://127.0.0.1:${port}\n`);
});
