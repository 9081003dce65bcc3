import { accessSync, constants, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { keyFileProblem } from "@onbehalf/shared-auth";
import { z } from "zod";
import { mask } from "../mask.ts";

/** The path of a PEM file with a private key to sign with. It is read now: a wrong one is no reason to fail later. */
export function privateKeyFile() {
  return z.string().superRefine((path, context) => {
    const problem = keyFileProblem(path);
    // Somebody may have put the key itself where its path belongs.
    if (problem !== undefined) context.addIssue({ code: "custom", message: mask(problem).replace(/\.$/, "") });
  });
}

/** A folder that is there and may be written to, or can be made. Nothing is made yet. */
export function dataFolder() {
  return z.string().superRefine((path, context) => {
    const problem = folderProblem(resolve(path));
    if (problem === undefined) return;
    context.addIssue({ code: "custom", message: `expected a folder to keep data in: ${problem}` });
  });
}

/** The folder itself decides, or while there is none, the nearest above it. */
function folderProblem(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return dirname(path) === path ? `${path} is not there` : folderProblem(dirname(path));
    if (!found.isDirectory()) return `${path} is not a folder`;
    accessSync(path, constants.W_OK | constants.X_OK);
    return undefined;
  } catch {
    return `${path} may not be written to`;
  }
}
