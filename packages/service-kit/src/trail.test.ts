import { describe, expect, test } from "vitest";
import { createTrail, type TrailHop, type TrailIdentity } from "./trail.ts";

function hop(
  traceId: string,
  subject: string | null,
  detail: TrailHop["detail"] = {},
  issuer = "https://issuer",
): TrailHop {
  const identity: TrailIdentity | null =
    subject === null
      ? null
      : {
          issuer,
          subject,
          audience: ["voicebox"],
          scopes: ["voicebox"],
          client_id: "launchpad-backend",
          actors: [],
          groups: [],
          email: null,
          name: null,
          kind: "user",
          credential: "jwt",
          expires_at: 1,
        };
  return {
    service: "voicebox",
    trace_id: traceId,
    request_id: "r",
    at: "2026-01-01T00:00:00.000Z",
    route: "POST /ask",
    status: 200,
    outcome: "ok",
    error_code: null,
    duration_ms: 1,
    identity,
    exchange: null,
    app: null,
    detail,
  };
}

const alice = { issuer: "https://issuer", subject: "alice" };

describe("a trail", () => {
  test("shows a person their own hops, oldest first, and an admin everyone's", () => {
    const trail = createTrail();
    for (const subject of ["alice", "bob", null, "alice"]) trail.add(hop("t1", subject, { n: subject }));
    trail.add(hop("t2", "alice"));
    expect(trail.find("t1", alice).map(({ detail }) => detail.n)).toEqual(["alice", "alice"]);
    expect(trail.find("t1", "admin")).toHaveLength(4);
    expect(trail.find("none", "admin")).toEqual([]);
  });

  test("takes the same subject of another issuer for another person", () => {
    const trail = createTrail();
    trail.add(hop("t1", "alice", {}, "https://partner"));
    expect(trail.find("t1", alice)).toEqual([]);
  });

  test("is bounded in traces and in hops; nobody can push out another person's hops of one trace", () => {
    const trail = createTrail({ maxTraces: 2, maxHopsPerPerson: 3 });
    trail.add(hop("t1", "alice"));
    for (let n = 0; n < 10; n += 1) trail.add(hop("t1", "mallory", { n }));
    expect(trail.find("t1", alice)).toHaveLength(1);
    expect(trail.find("t1", { ...alice, subject: "mallory" }).map(({ detail }) => detail.n)).toEqual([7, 8, 9]);
    trail.add(hop("t2", "alice"));
    trail.add(hop("t3", "alice"));
    expect(trail.find("t1", "admin")).toEqual([]);
  });
});
