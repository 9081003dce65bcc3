import type { Env } from "@onbehalf/service-kit";
import { Command } from "commander";
import { unreadKeys } from "../config/litellm-keys.ts";
import { readConfiguration } from "../config/read.ts";
import { deploymentsOf } from "../deployments.ts";
import type { Print } from "./keys.ts";

/** `config check`: what a start would say about environment and file, without starting. `config keys`: LiteLLM's keys. */
export function configCommand(env: Env, print: Print): Command {
  const config = new Command("config").description("environment and gateway.yaml");
  config
    .command("check")
    .description("say what a start would say, without starting")
    .action(() => {
      const { settings } = readConfiguration(env);
      const unused = deploymentsOf(settings.models).flatMap(({ problem }) => problem ?? []);
      for (const warning of settings.warnings) print(`warning: ${warning}`);
      for (const problem of unused) print(`warning: model_list: ${problem}`);
      const issuers = settings.issuers.map(({ options }) => options.issuer).join(", ") || "none";
      const models = [...new Set(settings.models.map(({ model_name: name }) => name))].join(", ") || "none";
      const verdict = unused.length < settings.models.length ? "usable" : "starts, and is never ready";
      print(`${verdict}. models: ${models}; issuers: ${issuers}; keys: ${settings.keyAuth ? "on" : "off"}`);
    });
  config
    .command("keys")
    .description("LiteLLM's keys that are not read here, and why")
    .action(() => {
      for (const { key, treated, why } of unreadKeys()) print(`${treated.padEnd(8)} ${key}: ${why}`);
    });
  return config;
}
