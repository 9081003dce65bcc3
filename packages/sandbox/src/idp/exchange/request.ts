import { tokenTypes } from "../grant-types.ts";
import { errors } from "../library.ts";

/** The parameters of RFC 8693, section 2.1, as they come. */
export const exchangeParameters = [
  "subject_token",
  "subject_token_type",
  "requested_token_type",
  "actor_token",
  "actor_token_type",
  "scope",
  "audience",
  "resource",
] as const;

export type ExchangeParameters = Partial<Record<(typeof exchangeParameters)[number], string | string[]>>;

/** A token exchange request that is well-formed. */
export interface ExchangeRequest {
  readonly subjectToken: string;
  readonly subjectType: string;
  readonly requestedType: string | undefined;
  readonly actorToken: string | undefined;
  readonly audiences: readonly string[];
  readonly resources: readonly string[];
  readonly scopes: readonly string[];
}

/** @throws InvalidRequest for what the RFC itself requires and is not there */
export function readRequest(params: ExchangeParameters): ExchangeRequest {
  const actorToken = single(params.actor_token);
  const actorType = single(params.actor_token_type);
  if ((actorToken === undefined) !== (actorType === undefined)) {
    throw new errors.InvalidRequest("actor_token and actor_token_type come together or not at all");
  }
  if (actorType !== undefined && actorType !== tokenTypes.accessToken) {
    throw new errors.InvalidRequest(`actor_token_type must be ${tokenTypes.accessToken}`);
  }
  return {
    subjectToken: required(params, "subject_token"),
    subjectType: required(params, "subject_token_type"),
    requestedType: single(params.requested_token_type),
    actorToken,
    audiences: [params.audience ?? []].flat(),
    resources: [params.resource ?? []].flat(),
    scopes: (single(params.scope) ?? "").split(" ").filter(Boolean),
  };
}

const single = (value: string | string[] | undefined): string | undefined =>
  typeof value === "string" ? value : undefined;

function required(params: ExchangeParameters, name: "subject_token" | "subject_token_type"): string {
  const value = single(params[name]);
  if (value === undefined || value === "") throw new errors.InvalidRequest(`${name} is missing`);
  return value;
}

/** @throws InvalidRequest unless the subject is an access token */
export function onlyAccessTokens({ subjectType }: ExchangeRequest): void {
  if (subjectType !== tokenTypes.accessToken) {
    throw new errors.InvalidRequest(`subject_token_type must be ${tokenTypes.accessToken}`);
  }
}

/** @throws InvalidRequest when something else than one of these is asked for */
export function onlyIssues({ requestedType }: ExchangeRequest, ...types: readonly string[]): void {
  if (requestedType !== undefined && !types.includes(requestedType)) {
    throw new errors.InvalidRequest(`requested_token_type can only be ${types.join(" or ")}`);
  }
}

/** @throws InvalidRequest */
export function noActor({ actorToken }: ExchangeRequest): void {
  if (actorToken !== undefined) throw new errors.InvalidRequest("actor tokens are not supported here");
}

/** @throws InvalidTarget */
export function noResource({ resources }: ExchangeRequest): void {
  if (resources.length > 0)
    throw new errors.InvalidTarget("resource is not supported here; name the target by audience");
}
