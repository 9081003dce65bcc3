import type { TrailHop } from "@onbehalf/service-kit";
import type { Session } from "../session/session.ts";
import { chainTree } from "./chain.ts";
import { page } from "./layout.ts";
import { h } from "./tree.ts";

/** One request's chain on a page of its own, to be linked to. */
export function chainPage(
  session: Session,
  isAdmin: boolean,
  hops: readonly TrailHop[],
  traceId: string,
  now: number,
): string {
  return page(
    { title: "The chain", path: "/chain", session, isAdmin },
    h(
      "section",
      { class: "wide" },
      h("h1", {}, "The chain"),
      h("p", { class: "quiet" }, "Trace ", h("code", {}, traceId)),
      chainTree(hops, now),
    ),
  );
}
