import type { IssuerDefinition } from "./definitions.ts";
import { createIssuer, type Issuer, type IssuerSetting } from "./issuer.ts";
import { openSigningKeys } from "./keys.ts";

/** The issuers of one provider. Each is made when it is first asked for: keys take a while, and few need all. */
export interface Issuers {
  readonly names: readonly string[];
  urlOf(name: string): string | undefined;
  get(name: string): Promise<Issuer | undefined>;
  /** Those that were asked for so far. */
  made(): Promise<Issuer[]>;
}

/** @param base of the issuers' URLs; a function, as it contains the port, which is known after the first use */
export function createIssuers(
  definitions: ReadonlyMap<string, IssuerDefinition>,
  base: () => string,
  setting: Omit<IssuerSetting, "others">,
): Issuers {
  const running = new Map<string, Promise<Issuer>>();
  const urlOf = (name: string) => (definitions.has(name) ? `${base()}/oauth2/${name}` : undefined);

  const make = async (name: string, definition: IssuerDefinition): Promise<Issuer> => {
    const keys = await openSigningKeys(setting.state, name);
    return createIssuer({ ...setting, name, url: urlOf(name) ?? "", definition, others: issuers }, keys);
  };
  const issuers: Issuers = {
    names: [...definitions.keys()],
    urlOf,
    get: async (name) => {
      const definition = definitions.get(name);
      if (definition === undefined) return undefined;
      const issuer = running.get(name) ?? make(name, definition);
      running.set(name, issuer);
      return await issuer;
    },
    made: () => Promise.all(running.values()),
  };
  return issuers;
}
