import { createLogger, type Service, type ServiceIo, serve } from "@onbehalf/service-kit";
import { createApp } from "./app.ts";
import { createCalls } from "./calls.ts";
import { clientKeys } from "./clients.ts";
import { type IssuerInput, issuerDefinitions, type UserInput, userDirectory } from "./definitions.ts";
import { createFaults } from "./faults.ts";
import { createIssuers } from "./issuers.ts";
import { type Lifetimes, lifetimes as readLifetimes } from "./lifetimes.ts";
import type { Notes } from "./notes.ts";
import { openState } from "./state.ts";
import { createStepUp } from "./step-up.ts";

/** Everything has a default: without options it is the sandbox's own provider, on a free port. */
export interface IdentityProviderOptions extends ServiceIo {
  /** Address to listen on; 127.0.0.1 when absent. */
  readonly host?: string;
  /** 0 or absent: any free one. */
  readonly port?: number;
  /** Named when the port is taken. */
  readonly portVariable?: string;
  /** Where browsers and services reach this provider; `http://localhost:{port}` when absent. Issuers begin with it. */
  readonly publicUrl?: string;
  /** Where Launchpad is, for its redirect and logout addresses; several for several replicas. */
  readonly launchpadUrl?: string | readonly string[];
  /** Keys, sessions and refresh tokens are kept here; absent = they end with the process. */
  readonly dataDir?: string;
  /** Instead of the demo users. */
  readonly users?: readonly UserInput[];
  /** Further issuers, or others in place of built-in ones of the same name. */
  readonly issuers?: Readonly<Record<string, IssuerInput>>;
  readonly lifetimes?: Partial<Lifetimes>;
  /** Short for `lifetimes.accessTokenSeconds`; exchanged tokens live as long, but never longer than their subject. */
  readonly tokenSeconds?: number | undefined;
}

/** A running provider, with all its issuers. */
export interface IdentityProvider extends Service {
  /** The URL of an issuer. @throws RangeError for a name that is none */
  issuerUrl(name: string): string;
  /** A client's own private key as PEM (PKCS #8, EC P-256), for `private_key_jwt`. */
  clientKey(clientId: string): string;
}

const graceSeconds = 3;

/**
 * Starts the sandbox identity provider: all issuers on one port.
 * @throws ConfigError for a taken port, ZodError for options that are not well-formed
 */
export async function startIdentityProvider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const definitions = issuerDefinitions(options.issuers);
  const users = userDirectory(options.users);
  const { tokenSeconds } = options;
  const lifetimes = readLifetimes({
    ...options.lifetimes,
    ...(tokenSeconds === undefined ? {} : { accessTokenSeconds: tokenSeconds }),
  });
  const log = options.log ?? createLogger({ service: "identity-provider", ...destinationOf(options) });
  const state = openState(options.dataDir);
  const keyOf = clientKeys(options.dataDir);
  const stepUp = createStepUp();
  const launchpadUrls = [options.launchpadUrl ?? "http://localhost:3000"].flat();
  let base = options.publicUrl ?? "";
  const notes: Notes = new WeakMap();
  const setting = { notes, users, state, lifetimes, launchpadUrls, keyOf, stepUp };
  const issuers = createIssuers(definitions, () => base, setting);

  try {
    const service = await serve({
      name: "identity-provider",
      app: createApp({
        issuers,
        definitions,
        users,
        calls: createCalls(),
        faults: createFaults(),
        stepUp,
        lifetimes,
        notes,
        log,
      }),
      host: options.host ?? "127.0.0.1",
      port: options.port ?? 0,
      portVariable: options.portVariable ?? "SANDBOX_IDP_PORT",
      log,
      graceSeconds,
      onClose: [() => state.close()],
    });
    base = options.publicUrl ?? `http://localhost:${service.port}`;
    return { ...service, url: base, issuerUrl: (name) => known(issuers.urlOf(name), name), clientKey: keyOf };
  } catch (error) {
    state.close();
    throw error;
  }
}

function known(url: string | undefined, name: string): string {
  if (url === undefined) throw new RangeError(`there is no issuer ${JSON.stringify(name)}`);
  return url;
}

function destinationOf({ destination }: ServiceIo): Pick<ServiceIo, "destination"> {
  return destination === undefined ? {} : { destination };
}
