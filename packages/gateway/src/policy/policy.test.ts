import { describe, expect, test } from "vitest";
import { findRoute } from "../routes.ts";
import { decide, type Policy, type Subject } from "./policy.ts";

const open: Policy = {
  enforce: true,
  allowedRoutes: undefined,
  groups: undefined,
  adminRoutes: undefined,
  teamRoutes: undefined,
};
const someone: Subject = {
  credential: "jwt",
  role: "standard",
  groups: [],
  groupsState: "listed",
  teamId: undefined,
  key: undefined,
};
const groups = {
  users: { models: ["claude-*"], routes: undefined },
  embedders: { models: ["titan"], routes: ["/embeddings"] },
  keymakers: { models: [], routes: ["/key/generate", "openai_routes"] },
};
const noLimits = { rpm: undefined, tpm: undefined, maxParallel: undefined, budget: undefined };
const key = { id: "key_1", former: [], alias: undefined, models: [], routes: [], explicit: true, limits: noLimits };

function ask(policy: Partial<Policy>, subject: Partial<Subject>, name: string, model?: string) {
  const [method = "", path = ""] = name.split(" ");
  const route = findRoute(method, path);
  if (route === undefined) throw new Error(`no route ${name}`);
  return decide({ ...open, ...policy }, { ...someone, ...subject }, { route, model });
}

const chat = "POST /v1/chat/completions";
const seedRoutes = {
  allowedRoutes: [
    { pattern: "/chat/completions", groups: ["litellm-users", "litellm-admins"] },
    { pattern: "/embeddings", groups: ["litellm-developers"] },
    { pattern: "/key/*", groups: ["litellm-admins"] },
  ],
};

/** What is asked, what comes of it, and by which rule. */
const table: [string, Partial<Policy>, Partial<Subject>, string, string | undefined, boolean, string][] = [
  ["without any policy a JWT calls models", {}, {}, chat, "m", true, "default"],
  ["without any policy a JWT reads info", {}, {}, "GET /user/info", undefined, true, "default"],
  ["without any policy a JWT lists no keys", {}, {}, "GET /key/list", undefined, false, "role"],
  ["without any policy a JWT makes no keys", {}, {}, "POST /key/generate", undefined, false, "role"],
  ["own record is open", {}, {}, "GET /audit/events", undefined, true, "default"],
  ["health is public", {}, {}, "GET /system/health", undefined, true, "public"],

  ["admin: everything", { groups }, { role: "admin" }, "POST /key/delete", undefined, true, "role"],
  ["admin: models too", { groups }, { role: "admin" }, chat, "nova", true, "role"],
  [
    "admin within admin_allowed_routes",
    { adminRoutes: ["management_routes"] },
    { role: "admin" },
    "POST /key/block",
    undefined,
    true,
    "role",
  ],
  [
    "admin beyond admin_allowed_routes",
    { adminRoutes: ["management_routes"] },
    { role: "admin" },
    chat,
    "m",
    false,
    "admin_allowed_routes",
  ],

  ["viewer reads", {}, { role: "viewer" }, "GET /spend/logs", undefined, true, "default"],
  ["viewer lists models", {}, { role: "viewer" }, "GET /v1/models", undefined, true, "default"],
  ["viewer calls no model", {}, { role: "viewer" }, chat, "m", false, "role"],
  [
    "viewer changes nothing, whatever is listed",
    { allowedRoutes: [{ pattern: "*", groups: undefined }] },
    { role: "viewer" },
    "POST /key/block",
    undefined,
    false,
    "role",
  ],

  ["customer calls models", {}, { role: "customer" }, chat, "m", true, "default"],
  ["customer reads own user info", {}, { role: "customer" }, "GET /user/info", undefined, true, "default"],
  ["customer reads own keys", {}, { role: "customer" }, "GET /key/info", undefined, true, "default"],
  ["customer reads about own models", {}, { role: "customer" }, "GET /model/info", undefined, true, "default"],
  [
    "customer changes nothing, whatever is listed",
    { allowedRoutes: [{ pattern: "*", groups: undefined }] },
    { role: "customer" },
    "POST /key/block",
    undefined,
    false,
    "role",
  ],
  ["customer reads no team", {}, { role: "customer" }, "GET /team/info", undefined, false, "role"],

  ["team without a team", {}, { role: "team" }, chat, "m", false, "role"],
  ["team with a team", {}, { role: "team", teamId: "t" }, chat, "m", true, "default"],
  ["team has rights under its name", { groups }, { role: "team", teamId: "users" }, chat, "claude-x", true, "default"],
  ["a person's team claim gives no rights", { groups }, { teamId: "users" }, chat, "claude-x", false, "access.groups"],
  [
    "team within team_allowed_routes",
    { teamRoutes: ["openai_routes"] },
    { role: "team", teamId: "t" },
    chat,
    "m",
    true,
    "default",
  ],
  [
    "team beyond team_allowed_routes",
    { teamRoutes: ["openai_routes"] },
    { role: "team", teamId: "t" },
    "GET /team/info",
    undefined,
    false,
    "team_allowed_routes",
  ],

  [
    "listed route",
    { allowedRoutes: [{ pattern: "/chat/completions", groups: undefined }] },
    {},
    chat,
    "m",
    true,
    "default",
  ],
  [
    "unlisted route",
    { allowedRoutes: [{ pattern: "/chat/completions", groups: undefined }] },
    {},
    "POST /v1/embeddings",
    "m",
    false,
    "allowed_routes",
  ],
  [
    "unlisted info route",
    { allowedRoutes: [{ pattern: "/chat/completions", groups: undefined }] },
    {},
    "GET /user/info",
    undefined,
    false,
    "allowed_routes",
  ],
  ["listed for the group", seedRoutes, { groups: ["litellm-users"] }, chat, "m", true, "default"],
  [
    "listed for another group",
    seedRoutes,
    { groups: ["litellm-users"] },
    "POST /v1/embeddings",
    "m",
    false,
    "allowed_routes",
  ],
  [
    "management for its group",
    seedRoutes,
    { groups: ["litellm-admins"] },
    "POST /key/generate",
    undefined,
    true,
    "default",
  ],
  [
    "management for others",
    seedRoutes,
    { groups: ["litellm-users"] },
    "POST /key/generate",
    undefined,
    false,
    "allowed_routes",
  ],
  [
    "nothing is allowed by an empty list",
    { allowedRoutes: [] },
    { groups: ["litellm-users"] },
    chat,
    "m",
    false,
    "allowed_routes",
  ],

  ["group and model", { groups }, { groups: ["users"] }, chat, "claude-x", true, "default"],
  ["group, other model", { groups }, { groups: ["users"] }, chat, "nova", false, "access.groups"],
  ["unknown group", { groups }, { groups: ["guests"] }, chat, "claude-x", false, "access.groups"],
  [
    "one group must allow both: route of one, model of the other",
    { groups },
    { groups: ["embedders", "users"] },
    "POST /v1/embeddings",
    "claude-x",
    true,
    "default",
  ],
  ["a group's routes are all it has", { groups }, { groups: ["embedders"] }, chat, "titan", false, "access.groups"],
  ["a group's own routes", { groups }, { groups: ["embedders"] }, "POST /v1/embeddings", "titan", true, "default"],
  [
    "a group without models allows none",
    { groups },
    { groups: ["keymakers"] },
    chat,
    "claude-x",
    false,
    "access.groups",
  ],
  [
    "a group may open a management route",
    { groups },
    { groups: ["keymakers"] },
    "POST /key/generate",
    undefined,
    true,
    "default",
  ],
  ["but only the one it names", { groups }, { groups: ["keymakers"] }, "POST /key/delete", undefined, false, "role"],
  ["without a group the own record is still readable", { groups }, {}, "GET /audit/events", undefined, true, "default"],
  [
    "names of Object's own are no groups",
    { groups },
    { groups: ["constructor", "__proto__", "toString"] },
    chat,
    "m",
    false,
    "access.groups",
  ],

  ["key of an administrator needs no group", { groups }, { credential: "virtual-key", key }, chat, "nova", true, "key"],
  [
    "key of an administrator manages nothing",
    {},
    { credential: "virtual-key", key },
    "POST /key/generate",
    undefined,
    false,
    "key",
  ],
  [
    "unless it names the route",
    {},
    { credential: "virtual-key", key: { ...key, routes: ["/key/generate"] } },
    "POST /key/generate",
    undefined,
    true,
    "key",
  ],
  [
    "key bound to a model",
    {},
    { credential: "virtual-key", key: { ...key, models: ["claude-*"] } },
    chat,
    "nova",
    false,
    "key.models",
  ],
  [
    "key bound to a route",
    {},
    { credential: "virtual-key", key: { ...key, routes: ["/embeddings"] } },
    chat,
    "m",
    false,
    "key.allowed_routes",
  ],
  [
    "an admin key is bound by what it names",
    {},
    { credential: "virtual-key", role: "admin", key: { ...key, routes: ["/key/info"] } },
    "POST /key/delete",
    undefined,
    false,
    "key.allowed_routes",
  ],
  [
    "key of a user follows his groups",
    { groups },
    { credential: "virtual-key", groups: ["users"], key: { ...key, explicit: false } },
    chat,
    "claude-x",
    true,
    "default",
  ],
  [
    "key of a user has no more than they",
    { groups },
    { credential: "virtual-key", groups: ["users"], key: { ...key, explicit: false, models: ["*"] } },
    chat,
    "nova",
    false,
    "access.groups",
  ],
  ...(["viewer", "team", "customer"] as const).map((role): (typeof table)[number] => [
    `key of an administrator for the role ${role} needs no group`,
    { groups, ...seedRoutes },
    { credential: "virtual-key", role, teamId: "t", key },
    role === "viewer" ? "GET /v1/models" : chat,
    role === "viewer" ? undefined : "nova",
    true,
    "key",
  ]),
  ["viewer's key calls no model", {}, { credential: "virtual-key", role: "viewer", key }, chat, "m", false, "role"],
];

describe("the policy", () => {
  test.each(table)("%s", (_, policy, subject, name, model, allowed, rule) => {
    expect(ask(policy, subject, name, model)).toMatchObject({ allowed, rule });
  });

  test.each([
    ["absent", "the token has no groups claim"],
    ["malformed", "not a list of strings"],
    ["overage", "too many (overage)"],
    ["listed", "the token's groups are empty"],
  ] as const)("groups that are %s are named as the cause", (groupsState, words) => {
    expect(ask({ groups }, { groupsState }, chat, "m").reason).toContain(words);
  });

  test("a refusal names what was seen and what was needed", () => {
    expect(ask(seedRoutes, { groups: ["guests"] }, chat, "m").reason).toBe(
      "POST /v1/chat/completions needs one of the groups [litellm-users, litellm-admins]; the token's groups are [guests]",
    );
  });

  test("a thousand groups do not make a thousand words", () => {
    const many = Array.from({ length: 1000 }, (_, index) => `group-${index}`);
    expect(ask({ groups }, { groups: many }, chat, "m").reason).toMatch(/group-19, and 980 more\]/);
  });

  test("a model's name as long as a book is not said again", () => {
    const long = "m".repeat(1_000_000);
    const byGroup = ask({ groups }, { groups: ["users"] }, chat, long);
    const byKey = ask({}, { credential: "virtual-key", key: { ...key, models: ["claude"] } }, chat, long);
    for (const { allowed, reason } of [byGroup, byKey]) {
      expect(allowed).toBe(false);
      expect(reason.length).toBeLessThan(1_000);
    }
  });
});
