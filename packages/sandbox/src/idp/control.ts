import { type Connection, HttpError, type RequestVariables } from "@onbehalf/service-kit";
import { isLoopback } from "@onbehalf/shared-auth";
import { Hono, type MiddlewareHandler } from "hono";
import { z } from "zod";
import type { Calls } from "./calls.ts";
import { type Faults, faultSchema } from "./faults.ts";
import type { Issuer } from "./issuer.ts";
import type { Issuers } from "./issuers.ts";
import { changeLifetimes, type Lifetimes } from "./lifetimes.ts";
import type { StepUp } from "./step-up.ts";

interface ControlParts {
  readonly issuers: Issuers;
  readonly calls: Calls;
  readonly faults: Faults;
  readonly stepUp: StepUp;
  readonly lifetimes: Lifetimes;
}

const rotation = z.strictObject({ issuer: z.string().optional(), keepOld: z.boolean().default(true) });

const signOutOf = z.strictObject({ user: z.string().min(1), issuer: z.string().default("default") });

const stepUpOf = z.strictObject({ user: z.string().min(1) });

/** The switches of the sandbox, for trying by hand and in tests what a real provider does on its own. */
export function control({
  issuers,
  calls,
  faults,
  stepUp,
  lifetimes,
}: ControlParts): Hono<{ Variables: RequestVariables }> {
  const app = new Hono<{ Variables: RequestVariables }>();
  app.use(onlyFromHere());

  app.post("/keys/rotate", async (c) => {
    const { issuer, keepOld } = rotation.parse(await jsonBody(c.req.raw));
    const chosen = issuer === undefined ? await issuers.made() : [await known(issuers, issuer)];
    await Promise.all(chosen.map((one) => one.rotateKeys(keepOld)));
    return c.json({
      rotated: chosen.map(({ name, keys }) => ({ issuer: name, keys: keys.all().map(({ kid }) => kid) })),
    });
  });

  app.post("/faults", async (c) => {
    const fault = faultSchema.parse(await jsonBody(c.req.raw));
    if (fault.issuer !== undefined) await known(issuers, fault.issuer);
    faults.add(fault);
    return c.json({ faults: faults.list() }, 201);
  });
  app.get("/faults", (c) => c.json({ faults: faults.list() }));
  app.delete("/faults", (c) => {
    faults.clear();
    return c.body(null, 204);
  });

  app.post("/step-up", async (c) => {
    stepUp.require(stepUpOf.parse(await jsonBody(c.req.raw)).user);
    return c.json({ users: stepUp.users() }, 201);
  });
  app.get("/step-up", (c) => c.json({ users: stepUp.users() }));
  app.delete("/step-up", (c) => {
    stepUp.release(c.req.query("user"));
    return c.body(null, 204);
  });

  app.get("/lifetimes", (c) => c.json(lifetimes));
  app.post("/lifetimes", async (c) => {
    changeLifetimes(lifetimes, await jsonBody(c.req.raw));
    return c.json(lifetimes);
  });

  app.post("/sign-out", async (c) => {
    const { user, issuer } = signOutOf.parse(await jsonBody(c.req.raw));
    return c.json(await (await known(issuers, issuer)).signOut(user));
  });

  app.get("/calls", (c) => c.json(calls.report()));
  app.delete("/calls", (c) => {
    calls.reset();
    return c.body(null, 204);
  });
  return app;
}

async function known(issuers: Issuers, name: string): Promise<Issuer> {
  const issuer = await issuers.get(name);
  if (issuer !== undefined) return issuer;
  throw new HttpError(
    404,
    "not_found",
    `there is no issuer ${JSON.stringify(name)}; there are: ${issuers.names.join(", ")}`,
  );
}

async function jsonBody(request: Request): Promise<unknown> {
  const text = await request.text();
  if (text === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, "invalid_request", "the body is not JSON");
  }
}

/**
 * Pages of other sites can make a browser send requests here, and even give our address a name of theirs. Neither may
 * turn the switches: a browser's cross-site request says its origin, and the host must be one of loopback.
 */
function onlyFromHere(): MiddlewareHandler {
  return async (c, next) => {
    const { incoming } = c.env as Connection;
    if (!isLocal(incoming.socket.remoteAddress)) {
      throw new HttpError(403, "forbidden", "the switches are for callers on this machine only");
    }
    const host = URL.parse(`http://${c.req.header("host") ?? ""}`)?.hostname ?? "";
    if (!isLoopback(host)) throw new HttpError(403, "forbidden", "the switches answer on a loopback address only");
    if (c.req.header("origin") !== undefined) {
      throw new HttpError(403, "forbidden", "the switches are not for pages of a browser; use curl");
    }
    await next();
  };
}

/** An address of the loopback interface, as a socket tells it; IPv4 may come in its IPv6 form. */
function isLocal(address = ""): boolean {
  return address === "::1" || isLoopback(address.replace(/^::ffff:/, ""));
}
