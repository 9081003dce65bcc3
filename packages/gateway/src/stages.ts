import type { Connection, Log, Logger, StepVariables } from "@onbehalf/service-kit";
import type { Context } from "hono";
import type { Authenticate } from "./authenticate.ts";
import type { LlmCall } from "./call.ts";
import type { Caller } from "./caller.ts";
import type { Settings } from "./config/settings.ts";
import type { FindPrice } from "./cost/prices.ts";
import type { Forwarding } from "./forward.ts";
import type { Granted, Limiter } from "./limits/limiter.ts";
import type { Entitlements } from "./policy/entitlements.ts";
import type { Draft } from "./record/draft.ts";
import type { Route } from "./routes.ts";
import type { SignIn } from "./sign-in/sign-in.ts";

/** What a reload replaces as a whole: a request keeps the one it began with. */
export interface Rules {
  readonly settings: Settings;
  readonly authenticate: Authenticate;
  readonly forwarding: Forwarding;
  readonly limiter: Limiter;
  readonly findPrice: FindPrice;
  readonly entitlements: Entitlements;
  /** Undefined where nobody signs in from a client. */
  readonly signIn: SignIn | undefined;
  /** Resolves when the keys of every issuer are known. */
  readonly keysReady: () => Promise<void>;
}

/**
 * What the stages hand on to each other, beside the connection in `c.env`: a property of an object that is there already
 * costs a fraction of a variable of Hono's, which lies in a map that grows with every request.
 */
export interface Found {
  rules: Rules;
  route: Route;
  draft: Draft;
  caller: Caller;
  call: LlmCall;
  /** What `call.model` is called in `model_list`: rights, limits, prices and the record go by this name. */
  model: string;
  granted: Granted;
}

/** What Hono carries from stage to stage. */
export interface StageEnv {
  readonly Variables: StepVariables;
  readonly Bindings: Connection & Found;
}

/** A request between two stages, with what the stages before have found out. */
export type StageContext = Context<StageEnv>;
export type { Log, Logger };
