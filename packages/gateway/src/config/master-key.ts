import type { ConfigProblem } from "@onbehalf/service-kit";

/** Keys out of documentation and examples: everybody knows them. */
const wellKnown = new Set(["sk-1234", "sk-12345", "sk-123456", "sk-admin", "sk-litellm", "sk-master", "changeme"]);

/** Characters after `sk-`; 24 random ones are out of reach of guessing even without any rate limit. */
const minLength = 24;

/** What a request's credential must look like to be taken for a key: another one would open nothing. */
const form = /^sk-[A-Za-z0-9_-]{1,200}$/;

interface MasterKey {
  readonly key: string | undefined;
  readonly warnings: readonly string[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * The master key of the environment, which was checked there, else of the file. A weak one is refused. The one exception is the example key
 * written literally in a file, as documentation has it: the file loads, and the key opens nothing.
 */
export function readMasterKey(fromEnvironment: string | undefined, fromFile: string | undefined): MasterKey {
  if (fromEnvironment !== undefined) return { key: fromEnvironment, warnings: [], problems: [] };
  if (fromFile === undefined) return { key: undefined, warnings: [], problems: [] };
  if (wellKnown.has(fromFile)) {
    const warning =
      "general_settings.master_key is the example key that everybody knows: it is switched off and opens nothing. Set LITELLM_MASTER_KEY to a key of your own (openssl rand -hex 32)";
    return { key: undefined, warnings: [warning], problems: [] };
  }
  const problem = weakness(fromFile);
  if (problem === undefined) return { key: fromFile, warnings: [], problems: [] };
  return { key: undefined, warnings: [], problems: [{ name: "general_settings.master_key", problem }] };
}

/** Why a key is too weak, or of no use, in words; undefined for a good one. */
export function weakness(key: string): string | undefined {
  if (wellKnown.has(key))
    return "is an example key that everybody knows; make one with: echo sk-$(openssl rand -hex 32)";
  if (key.replace(/^sk-/, "").length < minLength)
    return `is shorter than ${minLength} characters; make one with: echo sk-$(openssl rand -hex 32)`;
  if (new Set(key).size < 8) return "repeats too few characters; make one with: echo sk-$(openssl rand -hex 32)";
  if (!form.test(key))
    return "has not the form of a key, sk- and up to 200 letters, digits, _ or -, so no request could use it; make one with: echo sk-$(openssl rand -hex 32)";
  return undefined;
}
