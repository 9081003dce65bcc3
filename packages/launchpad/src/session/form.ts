import type { Context } from "hono";

/**
 * The fields of a plain form (`application/x-www-form-urlencoded`). A body of any other kind has none: nothing that a
 * stranger sends is parsed as more than it is, and nothing of it is thrown.
 */
export async function formFields(c: Context): Promise<URLSearchParams> {
  const [type = ""] = (c.req.header("content-type") ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded") return new URLSearchParams();
  return new URLSearchParams(await c.req.text());
}
