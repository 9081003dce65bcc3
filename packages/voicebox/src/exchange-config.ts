import { type Env, list, privateKeyFile, secret, url } from "@onbehalf/service-kit";
import type { ExchangeOptions } from "@onbehalf/shared-auth/exchange";
import { z } from "zod";

export const exchangeProviders = ["okta", "keycloak", "entra", "auth0", "zitadel", "rfc8693", "id_jag"] as const;
type ExchangeProvider = (typeof exchangeProviders)[number];

/** What each provider needs to be told beyond the client: the target's audience, its scope, or both. */
const targets: Readonly<Record<ExchangeProvider, { readonly audience: Need; readonly scope: Need }>> = {
  okta: { audience: "required", scope: "required" },
  keycloak: { audience: "required", scope: "optional" },
  entra: { audience: "unsupported", scope: "required" },
  auth0: { audience: "required", scope: "optional" },
  zitadel: { audience: "required", scope: "optional" },
  rfc8693: { audience: "required", scope: "optional" },
  id_jag: { audience: "optional", scope: "optional" },
};
type Need = "required" | "optional" | "unsupported";

/** The variables of a provider carry its name: OKTA_CLIENT_ID, KEYCLOAK_CLIENT_ID, … */
export function prefixOf(provider: ExchangeProvider): string {
  return provider.toUpperCase();
}

export function isExchangeProvider(text: string | undefined): text is ExchangeProvider {
  return exchangeProviders.some((name) => name === text);
}

const methods = ["client_secret_basic", "client_secret_post"] as const;
const secretMethod = (provider: ExchangeProvider) =>
  z
    .enum(methods, `expected ${methods.join(" or ")}`)
    .default(provider === "entra" ? "client_secret_post" : "client_secret_basic");

/** Zod fields of a provider's variables, by their full names. */
export function exchangeShape(provider: ExchangeProvider, env: Env): Record<string, z.ZodType> {
  const prefix = prefixOf(provider);
  const { audience, scope } = targets[provider];
  const target = provider === "id_jag" ? clientShape(`${prefix}_TARGET`, provider, env) : {};
  return {
    ...clientShape(prefix, provider, env),
    ...target,
    [`${prefix}_LLM_GATEWAY_AUDIENCE`]: needed(
      list({ min: 1 }),
      audience,
      `${provider} has no audience; name the target by scope`,
    ),
    [`${prefix}_LLM_GATEWAY_SCOPE`]: needed(words(), scope, `${provider} has no scope`),
    ...(provider === "id_jag"
      ? { ID_JAG_SUBJECT_TOKEN_TYPE: z.enum(["access_token", "id_token", "jwt"]).default("access_token") }
      : {}),
  };
}

/** A client at a server; the key wins over the secret when both are there. */
function clientShape(prefix: string, provider: ExchangeProvider, env: Env): Record<string, z.ZodType> {
  const hasKey = Boolean(env[`${prefix}_PRIVATE_KEY_PATH`]);
  return {
    [`${prefix}_CLIENT_ID`]: z.string().trim().min(1, "expected the client's id"),
    [`${prefix}_CLIENT_SECRET`]: hasKey ? secret().optional() : secret(),
    [`${prefix}_CLIENT_AUTH_METHOD`]: secretMethod(provider),
    [`${prefix}_PRIVATE_KEY_PATH`]: privateKeyFile().optional(),
    [`${prefix}_PRIVATE_KEY_ID`]: z.string().optional(),
    [`${prefix}_DISCOVERY_URL`]: url({ httpOnLoopbackOnly: true }),
  };
}

/** Scopes, by spaces as OAuth writes them, or by commas. */
function words() {
  return z
    .string()
    .transform((text): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== ""))
    .refine((found) => found.length > 0, "expected at least one scope");
}

function needed(field: z.ZodType, need: Need, message: string): z.ZodType {
  if (need === "required") return field;
  return need === "optional" ? field.optional() : z.undefined(message).optional();
}

type Values = Readonly<Record<string, unknown>>;

/** From the parsed variables to what shared-auth takes. */
export function exchangeOptions(provider: ExchangeProvider, values: Values): ExchangeOptions {
  const prefix = prefixOf(provider);
  const audience = values[`${prefix}_LLM_GATEWAY_AUDIENCE`] as readonly string[] | undefined;
  const scopes = values[`${prefix}_LLM_GATEWAY_SCOPE`] as readonly string[] | undefined;
  return {
    profile: provider,
    ...clientOptions(prefix, values),
    ...(audience === undefined ? {} : { audience }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(provider === "id_jag"
      ? {
          target: clientOptions(`${prefix}_TARGET`, values),
          subjectTokenType: values.ID_JAG_SUBJECT_TOKEN_TYPE as "access_token" | "id_token" | "jwt",
        }
      : {}),
  };
}

function clientOptions(prefix: string, values: Values): Pick<ExchangeOptions, "issuer" | "clientId" | "clientAuth"> {
  const text = (name: string) => values[`${prefix}_${name}`] as string | undefined;
  const keyFile = text("PRIVATE_KEY_PATH");
  const kid = text("PRIVATE_KEY_ID");
  return {
    issuer: { discoveryUrl: text("DISCOVERY_URL") ?? "" },
    clientId: text("CLIENT_ID") ?? "",
    clientAuth:
      keyFile === undefined
        ? { method: text("CLIENT_AUTH_METHOD") as (typeof methods)[number], secret: text("CLIENT_SECRET") ?? "" }
        : { method: "private_key_jwt", keyFile, ...(kid === undefined ? {} : { kid }) },
  };
}
