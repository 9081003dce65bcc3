import { serve } from "@hono/node-server";
import { redaction } from "./redaction.ts";

const { ISSUER = "", REDACTION_CLIENT_SECRET = "", GATEWAY_URL = "", PORT = "8100" } = process.env;
const app = redaction({ issuer: ISSUER, clientSecret: REDACTION_CLIENT_SECRET, gateway: GATEWAY_URL });
serve({ fetch: app.fetch, port: Number(PORT), hostname: "127.0.0.1" });
