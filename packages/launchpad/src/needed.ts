import type { z } from "zod";

/** Optional, unless another variable makes it needed. */
export function needed<S extends z.ZodType>(schema: S, isNeeded: boolean): z.ZodOptional<S> {
  return (isNeeded ? schema : schema.optional()) as z.ZodOptional<S>;
}
