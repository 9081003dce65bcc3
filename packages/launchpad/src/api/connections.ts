import { HttpError } from "@onbehalf/service-kit";
import type { Context } from "hono";
import type { AppManagement } from "../apps/manage.ts";
import { asked } from "./asked.ts";
import type { Below } from "./below.ts";
import type { ApiEnv } from "./credentials.ts";

/**
 * Refuses a connection that Voicebox does not have, for a new application or for the one of the id. When Voicebox cannot
 * be asked nothing is refused: it says so itself at the first question.
 * @throws HttpError 400 that names those there are
 */
export type CheckConnection = (c: Context<ApiEnv>, connection: string, id?: string) => Promise<void>;

/** Names in one message. */
const maxNamed = 20;

/** Asks Voicebox, in the caller's name, which connections there are. */
export function createConnectionCheck(
  below: Pick<Below, "connections">,
  management: Pick<AppManagement, "list">,
): CheckConnection {
  return async (c, connection, id) => {
    // One that stays as it was is not looked at: an application whose connection is gone can still be disabled.
    if (id !== undefined && !(await isChanged(management, id, connection))) return;
    const answer = await asked(() => below.connections(c));
    if (!("value" in answer) || answer.value.some(({ name }) => name === connection)) return;
    const names = answer.value.map(({ name }) => name);
    const some = `${names.slice(0, maxNamed).join(", ")}${names.length > maxNamed ? ", …" : ""}`;
    throw new HttpError(
      400,
      "connection_unknown",
      `Voicebox has no connection ${JSON.stringify(connection)}; there ${some === "" ? "are none" : `are: ${some}`}.`,
    );
  };
}

async function isChanged(management: Pick<AppManagement, "list">, id: string, connection: string): Promise<boolean> {
  const before = (await management.list()).find((app) => app.id === id);
  return before?.source === "database" && before.connection !== connection;
}
