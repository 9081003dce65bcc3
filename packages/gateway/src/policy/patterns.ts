import { type Route, spellings } from "../routes.ts";

/** LiteLLM's names for whole families of routes, beside our own. */
const families: Readonly<Record<string, (route: Route) => boolean>> = {
  llm_routes: (route) => route.kind === "llm" || route.kind === "models",
  llm_api_routes: (route) => route.kind === "llm" || route.kind === "models",
  openai_routes: (route) =>
    route.kind === "models" || (route.kind === "llm" && route.dialect?.startsWith("openai") === true),
  anthropic_routes: (route) => route.dialect === "anthropic",
  bedrock_routes: (route) => route.dialect === "bedrock",
  info_routes: (route) => route.kind === "info",
  own_routes: (route) => route.kind === "own",
  spend_tracking_routes: (route) => route.path.startsWith("/spend/"),
  management_routes: (route) => route.kind === "admin",
};

/** Names that stand for a family of routes. */
export const routeFamilies: readonly string[] = Object.keys(families);

/**
 * Does a route pattern name this route? A pattern is a path (`/chat/completions`, leading slash optional), a path with
 * wildcards (`/key/*`, where `*` also crosses slashes), or a family (`openai_routes`). Any spelling of the route counts.
 */
export function matchesRoute(pattern: string, route: Route): boolean {
  const family = Object.hasOwn(families, pattern) ? families[pattern] : undefined;
  if (family !== undefined) return family(route);
  const wanted = pattern === "*" || pattern.startsWith("/") ? pattern : `/${pattern}`;
  return spellings(route).some((path) => matchesWildcard(wanted, path) || matchesWildcard(wanted, nameless(path)));
}

/** Does a model pattern name this model? `*` stands for anything; LiteLLM's `all-proxy-models` for every model. */
export function matchesModel(pattern: string, model: string): boolean {
  if (pattern === "all-proxy-models") return true;
  return matchesWildcard(pattern, model);
}

/** `*` stands for any run of characters, everything else for itself. Linear: no backtracking on hostile input. */
export function matchesWildcard(pattern: string, text: string): boolean {
  if (!pattern.includes("*")) return pattern === text;
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop() ?? "";
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found === -1) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

/** LiteLLM writes parameters as `{id}`; both forms are understood. */
function nameless(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}
