import type { KoaContextWithOIDC, Provider } from "oidc-provider";
import type { Carried } from "./claims.ts";
import type { Dialect } from "./dialects/dialect.ts";

type Body = Readonly<Record<string, unknown>>;

/** Where a make words its errors itself. */
const errorsOfMake: ReadonlySet<string> = new Set(["/v1/token", "/v1/device_authorization"]);

/** Completes what the library answers in JSON: challenges, a make's own error documents, what introspection tells. */
export function completeAnswers(provider: Provider, { errorBody }: Dialect): void {
  provider.use(async (ctx: KoaContextWithOIDC, next: () => Promise<unknown>) => {
    await next();
    if (ctx.status === 404 && ctx.body === undefined) return nothingHere(ctx);
    if (typeof ctx.body !== "object" || ctx.body === null || Buffer.isBuffer(ctx.body)) return;
    const body = ctx.body as Body;
    if (ctx.path === "/v1/introspect" && body.active === true) ctx.body = introspected(body);
    if (!errorsOfMake.has(ctx.path) || body.error === undefined) return;
    const challenged =
      ctx.state.claims === undefined ? body : { ...body, suberror: "basic_action", claims: ctx.state.claims };
    // The real ones number their errors in the text; elsewhere the number says nothing.
    ctx.body = errorBody?.(challenged) ?? { ...challenged, error_description: withoutNumber(body.error_description) };
  });
}

function nothingHere(ctx: KoaContextWithOIDC): void {
  ctx.body = {
    error: "not_found",
    error_description: `nothing here answers ${ctx.method}; the discovery document lists the endpoints`,
  };
  ctx.status = 404;
}

const withoutNumber = (text: unknown): unknown => (typeof text === "string" ? text.replace(/^AADSTS\d+: /, "") : text);

/** The user's claims and the actors beside the members of RFC 7662, section 2.2. */
function introspected({ user, acr, actor, ...rest }: Body & Carried): Body {
  const { username, email, name, groups } = user ?? {};
  const told = { username, email, name, groups, acr, act: actor };
  return { ...rest, ...Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined)) };
}
