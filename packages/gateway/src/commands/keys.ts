import type { Env } from "@onbehalf/service-kit";
import { Command } from "commander";
import { viewsWithSpend } from "../admin/key-spend.ts";
import { madeView } from "../admin/key-view.ts";
import { generateRequest } from "../keys/key-request.ts";
import { type Session, withSession } from "./session.ts";

/** One line on standard output. */
export type Print = (text: string) => void;

interface GenerateOptions {
  readonly alias?: string;
  readonly user?: string;
  readonly team?: string;
  readonly models?: string;
  readonly routes?: string;
  readonly role?: string;
  readonly duration?: string;
  readonly rpm?: string;
  readonly tpm?: string;
  readonly parallel?: string;
  readonly budget?: string;
  readonly budgetDuration?: string;
}

/** `keys generate|list|info|regenerate|block|unblock|delete`: what `/key/*` does, on the database itself. */
export function keysCommand(env: Env, print: Print): Command {
  const keys = new Command("keys").description("virtual keys, on the gateway's own database");
  const actor = ({ caller, settings }: Session) => ({
    caller,
    policy: settings.policy,
    keyLimits: settings.limits.key,
  });
  const show = (value: unknown): void => print(JSON.stringify(value, null, 2));

  keys
    .command("generate")
    .description("make a key; it is shown this once")
    .option("--alias <name>")
    .option("--user <id>", "whose requests these are, in the record")
    .option("--team <id>")
    .option("--models <list>", "comma-separated names or patterns; all when left out")
    .option("--routes <list>", "comma-separated routes; LLM and info routes when left out")
    .option("--role <role>", "user, viewer, team, customer or admin")
    .option("--duration <time>", "for example 30d")
    .option("--rpm <n>")
    .option("--tpm <n>")
    .option("--parallel <n>")
    .option("--budget <usd>")
    .option("--budget-duration <period>", "1d, 7d or 30d")
    .action((options: GenerateOptions) =>
      withSession(env, (session) =>
        session.audited("generate", async () => {
          const made = await session.keyAdmin.generate(actor(session), generateRequest.parse(fieldsOf(options)));
          show(madeView(made, Date.now()));
          return { result: undefined, keys: [made.made.id] };
        }),
      ),
    );
  keys
    .command("list")
    .description("all keys, newest first; never the keys themselves")
    .option("--user <id>")
    .option("--team <id>")
    .action(({ user, team }: { user?: string; team?: string }) =>
      withSession(env, async (session) => {
        const filter = { userId: user, teamId: team, limit: 1000, offset: 0 };
        const found = await session.keyAdmin.list(actor(session), filter);
        show(await viewsWithSpend(found.keys, session.queries, Date.now()));
      }),
    );
  keys
    .command("info <key>")
    .description("one key and what it has spent")
    .action((named: string) =>
      withSession(env, async (session) => {
        const key = await session.keyAdmin.find(actor(session), named);
        const [view] = await viewsWithSpend([key], session.queries, Date.now());
        show(view);
      }),
    );
  keys
    .command("regenerate <key>")
    .description("a new key with the same rights; the old one works on for the grace period")
    .option("--grace <time>", "for example 24h", "24h")
    .action((named: string, { grace }: { grace: string }) =>
      withSession(env, (session) =>
        session.audited("regenerate", async () => {
          const made = await session.keyAdmin.regenerate(actor(session), named, grace);
          show(madeView(made, Date.now()));
          return { result: undefined, keys: [made.replaced.id, made.made.id] };
        }),
      ),
    );
  for (const [name, blocked] of [
    ["block", true],
    ["unblock", false],
  ] as const) {
    keys
      .command(`${name} <key>`)
      .description(`${name} a key on every replica`)
      .action((named: string) =>
        withSession(env, (session) =>
          session.audited(name, async () => {
            const key = await session.keyAdmin.setBlocked(actor(session), named, blocked);
            print(`${key.id} is ${blocked ? "blocked; every replica knows within 2 seconds" : "no longer blocked"}`);
            return { result: undefined, keys: [key.id] };
          }),
        ),
      );
  }
  keys
    .command("delete <keys...>")
    .description("remove keys for good")
    .action((named: string[]) =>
      withSession(env, (session) =>
        session.audited("delete", async () => {
          const deleted = await session.keyAdmin.delete(actor(session), named, []);
          print(`deleted: ${deleted.join(", ")}`);
          return { result: undefined, keys: deleted };
        }),
      ),
    );
  return keys;
}

function fieldsOf(options: GenerateOptions): Record<string, unknown> {
  const list = (text: string | undefined) => text?.split(",").map((word) => word.trim());
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return {
    key_alias: options.alias,
    user_id: options.user,
    team_id: options.team,
    models: list(options.models),
    allowed_routes: list(options.routes),
    user_role: options.role,
    duration: options.duration,
    rpm_limit: number(options.rpm),
    tpm_limit: number(options.tpm),
    max_parallel_requests: number(options.parallel),
    max_budget: number(options.budget),
    budget_duration: options.budgetDuration,
  };
}
