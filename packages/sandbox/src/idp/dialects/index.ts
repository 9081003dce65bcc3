import { auth0 } from "./auth0.ts";
import type { Dialect } from "./dialect.ts";
import { entra, entraV1 } from "./entra.ts";
import { generic } from "./generic.ts";
import { keycloak } from "./keycloak.ts";
import { okta } from "./okta.ts";
import { zitadel } from "./zitadel.ts";

/** The providers that can be played. */
export const dialectNames = ["okta", "generic", "keycloak", "entra", "entra-v1", "auth0", "zitadel"] as const;

export type DialectName = (typeof dialectNames)[number];

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  okta,
  generic,
  keycloak,
  entra,
  "entra-v1": entraV1,
  auth0,
  zitadel,
};
