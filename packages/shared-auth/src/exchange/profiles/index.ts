import type { ExchangeProfile } from "../profile.ts";
import { auth0 } from "./auth0.ts";
import { entra } from "./entra.ts";
import { idJag } from "./id-jag.ts";
import { keycloak } from "./keycloak.ts";
import { okta } from "./okta.ts";
import { rfc8693 } from "./rfc8693.ts";
import { zitadel } from "./zitadel.ts";

/** The providers whose exchange is known. */
export type ProfileName = "okta" | "keycloak" | "entra" | "auth0" | "zitadel" | "rfc8693" | "id_jag";

/** One file each. */
export const profiles: Readonly<Record<ProfileName, ExchangeProfile>> = {
  okta,
  keycloak,
  entra,
  auth0,
  zitadel,
  rfc8693,
  id_jag: idJag,
};
