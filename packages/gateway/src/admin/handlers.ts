import type { RecordQueries } from "../record/queries.ts";
import type { Recorder } from "../record/recorder.ts";
import type { StageContext } from "../stages.ts";
import { auditEvents } from "./audit-events.ts";
import { inferenceProfiles, listModels, oneModel } from "./models.ts";

export interface AdminOptions {
  readonly queries: RecordQueries;
  readonly recorder: Recorder;
}

export type Handler = (c: StageContext) => Response | Promise<Response>;

/** What answers each route that is no dialect's, by the route's name. */
export function adminHandlers(options: AdminOptions): Readonly<Record<string, Handler>> {
  return {
    "GET /v1/models": listModels,
    "GET /v1/models/:id": oneModel,
    "GET /inference-profiles": inferenceProfiles,
    "GET /audit/events": auditEvents(options),
  };
}
