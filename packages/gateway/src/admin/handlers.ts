import type { KeyAdmin } from "../keys/key-admin.ts";
import type { KeyStore } from "../keys/key-store.ts";
import type { RecordQueries } from "../record/queries.ts";
import type { Recorder } from "../record/recorder.ts";
import type { StageContext } from "../stages.ts";
import { auditEvents } from "./audit-events.ts";
import { explain } from "./explain-route.ts";
import { inferenceProfileRoutes, type ProfileOptions } from "./inference-profiles.ts";
import { infoRoutes } from "./info-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { listModels, oneModel } from "./models.ts";
import { spendRoutes } from "./spend-routes.ts";

/** What the routes beside the models' need: the record, the keys, and the models' own addresses. */
export interface AdminOptions extends ProfileOptions {
  readonly queries: RecordQueries;
  readonly recorder: Recorder;
  readonly keyAdmin: KeyAdmin;
  readonly keyStore: KeyStore;
}

/** Answers one route of `routes.ts`; throws GatewayError for whatever it refuses. */
export type Handler = (c: StageContext) => Response | Promise<Response>;

/** What answers each route that is no dialect's, by the route's name. */
export function adminHandlers(options: AdminOptions): Readonly<Record<string, Handler>> {
  return {
    "GET /v1/models": listModels,
    "GET /v1/models/:id": oneModel,
    "GET /audit/events": auditEvents(options),
    "POST /policy/explain": explain,
    ...inferenceProfileRoutes(options),
    ...keyRoutes(options),
    ...infoRoutes(options),
    ...spendRoutes(options),
  };
}
