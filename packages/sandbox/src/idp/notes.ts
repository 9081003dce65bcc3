import type { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import type { errors, KoaContextWithOIDC, Provider } from "oidc-provider";

/** Adds fields to the one log line of a request. */
type Note = (fields: Readonly<Record<string, unknown>>) => void;

/** Which log line belongs to which request of the library. */
export type Notes = WeakMap<IncomingMessage, Note>;

/** Says in the log what was asked at the token endpoint, by whom, and the real reason of a refusal, which callers do not get. */
export function noteGrants(provider: Provider, notes: Notes): void {
  provider.on("grant.success", (ctx) => notes.get(ctx.req)?.(asked(ctx)));
  provider.on("grant.error", (ctx, { error, error_description, error_detail }) =>
    notes.get(ctx.req)?.({ ...asked(ctx), error_code: error, reason: error_detail ?? error_description }),
  );
  provider.on("authorization.error", (ctx, { error, error_description, error_detail }) =>
    notes.get(ctx.req)?.({ error_code: error, reason: error_detail ?? error_description }),
  );
  provider.on("device_authorization.success", (ctx) => notes.get(ctx.req)?.(asked(ctx)));
  for (const failed of ["device_authorization.error", "code_verification.error", "device_resume.error"] as const) {
    provider.on(
      failed,
      (ctx: KoaContextWithOIDC, { error, error_description, error_detail }: errors.OIDCProviderError) =>
        notes.get(ctx.req)?.({ ...asked(ctx), error_code: error, reason: error_detail ?? error_description }),
    );
  }
  // Koa's own event, which the library's types leave out; without a listener Koa prints.
  const koa = provider as unknown as EventEmitter<{ error: [error: unknown, ctx: KoaContextWithOIDC] }>;
  koa.on("error", (error, ctx) => notes.get(ctx.req)?.({ err: error }));
  // What nobody foresaw: the caller is told nothing, so the log must have it.
  provider.on("server_error", (ctx, error) => notes.get(ctx.req)?.({ err: error }));
}

function asked({ oidc }: KoaContextWithOIDC): Record<string, unknown> {
  const { client, params, entities } = oidc;
  const subject = entities.AccessToken?.accountId;
  return { client_id: client?.clientId, grant_type: params?.grant_type, ...(subject !== undefined && { subject }) };
}
