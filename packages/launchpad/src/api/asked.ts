import { HttpError } from "@onbehalf/service-kit";
import { AuthError } from "@onbehalf/shared-auth";
import { z } from "zod";

/** What was asked of the services below, or why it could not be. */
export type Asked<T> = { readonly value: T } | { readonly problem: string };

/** A part of the page that cannot be had says why; the others are shown. */
export async function asked<T>(ask: () => Promise<T>): Promise<Asked<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (error instanceof HttpError || error instanceof AuthError) return { problem: error.message };
    if (error instanceof z.core.$ZodError)
      return { problem: "The service below answered in a form that is not understood here." };
    throw error;
  }
}
