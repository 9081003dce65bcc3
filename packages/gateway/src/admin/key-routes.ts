import { z } from "zod";
import type { Actor, KeyAdmin } from "../keys/key-admin.ts";
import { deleteRequest, generateRequest, keyRequest, regenerateRequest, updateRequest } from "../keys/key-request.ts";
import type { VirtualKey } from "../keys/virtual-key.ts";
import type { RecordQueries } from "../record/queries.ts";
import type { StageContext } from "../stages.ts";
import { viewsWithSpend } from "./key-spend.ts";
import { madeView } from "./key-view.ts";
import { readJson } from "./read-json.ts";
import { type FlushRecorder, untilRecorded } from "./recorded.ts";
import { text } from "./text.ts";

interface KeyRouteOptions {
  readonly keyAdmin: KeyAdmin;
  readonly queries: RecordQueries;
  readonly recorder: FlushRecorder;
}

type Handler = (c: StageContext) => Promise<Response>;

/** `/key/*` with LiteLLM's fields. What is changed is written into the request's own row. */
export function keyRoutes({ keyAdmin, queries, recorder }: KeyRouteOptions): Readonly<Record<string, Handler>> {
  const views = async (keys: readonly VirtualKey[]) => {
    await untilRecorded(recorder);
    return viewsWithSpend(keys, queries, Date.now());
  };
  const view = async (key: VirtualKey) => (await views([key]))[0];

  return {
    "POST /key/generate": async (c) => {
      const fields = await readJson(c, generateRequest);
      const made = await keyAdmin.generate(actorOf(c), fields);
      note(c, "generate", [made.made]);
      return c.json(madeView(made, Date.now()));
    },
    "POST /key/update": async (c) => {
      const { key, ...fields } = await readJson(c, updateRequest);
      const changed = await keyAdmin.update(actorOf(c), key, fields);
      note(c, "update", [changed], Object.keys(fields));
      return c.json(await view(changed));
    },
    "POST /key/regenerate": async (c) => {
      const { key, grace_period: grace } = await readJson(c, regenerateRequest);
      const made = await keyAdmin.regenerate(actorOf(c), key, grace);
      note(c, "regenerate", [made.replaced, made.made]);
      // The key is shown this once, whether or not the record can say what was spent.
      const shown = await view(made.made).catch(() => undefined);
      return c.json({
        ...madeView(made, Date.now()),
        spend: shown?.spend ?? null,
        replaced: { token_id: made.replaced.id, expires: made.replaced.expiresAt },
      });
    },
    "POST /key/block": async (c) => blocked(c, true),
    "POST /key/unblock": async (c) => blocked(c, false),
    "POST /key/delete": async (c) => {
      const { keys, key_aliases: aliases } = await readJson(c, deleteRequest);
      const deleted = await keyAdmin.delete(actorOf(c), keys, aliases);
      note(
        c,
        "delete",
        deleted.map((id) => ({ id })),
      );
      return c.json({ deleted_keys: deleted });
    },
    "GET /key/info": async (c) => {
      const named = c.req.query("key") ?? c.env.caller.key?.id;
      const key = await keyAdmin.find(actorOf(c), named ?? "");
      return c.json({ key: key.id, info: await view(key) });
    },
    "GET /key/list": async (c) => {
      const asked = listQuery.parse(c.req.query());
      const filter = { userId: asked.user_id, teamId: asked.team_id, alias: asked.key_alias };
      const page = { limit: asked.size, offset: (asked.page - 1) * asked.size };
      const { keys, total } = await keyAdmin.list(actorOf(c), { ...filter, ...page });
      const shown = asked.return_full_object ? await views(keys) : keys.map(({ id }) => id);
      return c.json({
        keys: shown,
        total_count: total,
        current_page: asked.page,
        total_pages: Math.ceil(total / asked.size),
      });
    },
  };

  async function blocked(c: StageContext, value: boolean): Promise<Response> {
    const { key } = await readJson(c, keyRequest);
    const changed = await keyAdmin.setBlocked(actorOf(c), key, value);
    note(c, value ? "block" : "unblock", [changed]);
    return c.json(await view(changed));
  }
}

const name = text(200).optional();
const listQuery = z.object({
  page: z.coerce.number().int().min(1).default(1),
  size: z.coerce.number().int().min(1).max(100).default(50),
  user_id: name,
  team_id: name,
  key_alias: name,
  return_full_object: z
    .enum(["true", "false"])
    .default("false")
    .transform((text) => text === "true"),
});

function actorOf(c: StageContext): Actor {
  const { policy, limits } = c.env.rules.settings;
  return { caller: c.env.caller, policy, keyLimits: limits.key };
}

function note(
  c: StageContext,
  action: string,
  keys: readonly { readonly id: string }[],
  fields?: readonly string[],
): void {
  c.env.draft.detail.admin = { action, keys: keys.map(({ id }) => id), ...(fields === undefined ? {} : { fields }) };
}
