import { unwatchFile, watchFile } from "node:fs";
import { ConfigError, type Log } from "@onbehalf/service-kit";
import type { Rules } from "./stages.ts";

/** The rules in force, and their successors. */
export interface Reload {
  /** The rules in force. */
  readonly rules: () => Rules;
  /** Reads the configuration again and, when it is good, puts it into force in one step. */
  now(): Promise<void>;
  /** For the end of the process, when no client is left. Waits for the calls that still run. */
  close(): Promise<void>;
}

interface ReloadOptions {
  readonly first: Rules;
  /** @throws ConfigError */
  readonly read: () => Rules;
  /** The file to watch; undefined: only `now()` reloads. */
  readonly watch: string | undefined;
  readonly log: Pick<Log, "info" | "warn" | "error">;
}

/** By looking, not by events: a mounted ConfigMap changes by a renamed link, which events of the file do not see. */
const lookMs = 1_000;

/** Which of the settings only a restart can change. */
const fixed = ["databaseUrl", "maxSpoolBytes", "keepKeysWithoutDatabase"] as const;

/** @param first the rules to begin with; a file that is broken later leaves those before it in force */
export function createReload({ first, read, watch, log }: ReloadOptions): Reload {
  let current = first;
  /** Replaced rules whose calls may still run; their connections close when those have ended. */
  const leaving = new Map<Rules, Promise<void>>();

  const now = async (): Promise<void> => {
    let next: Rules;
    try {
      next = read();
    } catch (error) {
      const what = error instanceof ConfigError ? { problems: error.problems } : { err: error };
      log.error(what, "reload: the file is not usable; the rules before it stay in force");
      return;
    }
    const before = current;
    current = next;
    for (const name of fixed) {
      if (before.settings[name] !== next.settings[name])
        log.warn({ setting: name }, "reload: this setting needs a restart");
    }
    for (const warning of next.settings.warnings) log.warn({}, `configuration: ${warning}`);
    log.info(
      { models: next.settings.models.length, enforce: next.settings.policy.enforce },
      "reload: new rules are in force",
    );
    leaving.set(
      before,
      before.forwarding.close().finally(() => leaving.delete(before)),
    );
  };
  const onChange = (after: { mtimeMs: number; size: number }, before: { mtimeMs: number; size: number }): void => {
    if (after.mtimeMs === before.mtimeMs && after.size === before.size) return;
    now().catch((error: unknown) => log.error({ err: error }, "reload failed; the rules before it stay in force"));
  };
  if (watch !== undefined) watchFile(watch, { interval: lookMs, persistent: false }, onChange);

  return {
    rules: () => current,
    now,
    async close() {
      if (watch !== undefined) unwatchFile(watch, onChange);
      for (const { forwarding } of [...leaving.keys(), current]) forwarding.leaveAbandoned();
      await Promise.all([...leaving.values(), current.forwarding.close()]);
    },
  };
}
