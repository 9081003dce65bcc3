import { remembered } from "../../remembered.ts";
import { modelNames } from "./model-id.ts";

/** Claude's words for how much to think and say, the least first. */
export const claudeEfforts = ["low", "medium", "high", "xhigh", "max"] as const;
export type ClaudeEffort = (typeof claudeEfforts)[number];

/**
 * What one generation of Claude takes of what clients ask for. Each refuses the whole request with 400 for what another
 * wants, so a client that knows no generations would break whenever the model behind a name is exchanged.
 */
export interface ClaudeGeneration {
  /** `temperature`, `top_p`, `top_k`. Later ones take nothing but their own default. */
  readonly sampling: boolean;
  /** `thinking: {type: "enabled", budget_tokens}`. */
  readonly budgets: boolean;
  /** `thinking: {type: "adaptive"}`. */
  readonly adaptive: boolean;
  /** Of `output_config.effort`; none where it is not known. */
  readonly efforts: readonly ClaudeEffort[];
  /** How it is kept from thinking: by saying nothing, by one of Anthropic's words, or not at all. */
  readonly off: "silence" | "disabled" | "between_tools" | "never";
  /** `anthropic_version: "2026-10-21"` on Bedrock. */
  readonly newVersion: boolean;
  /** A choice of `any` tool or of one by its name. */
  readonly forcedTools: boolean;
}

/** By Bedrock's id or Anthropic's own. A Claude that nobody has heard of is taken for one of the newest. */
export const claudeGeneration: (modelId: string) => ClaudeGeneration = remembered(512, (modelId) => {
  const { line, version } = read(modelId);
  const before = version <= (line === "haiku" ? at(4, 5) : at(4, 6));
  return {
    sampling: before,
    budgets: before && version >= at(3, 7),
    adaptive: version >= at(4, 6),
    efforts: claudeEfforts.filter((effort) => version >= (effort === "xhigh" ? at(4, 7) : at(4, 6))),
    off: offOf(line, version),
    newVersion: !before,
    forcedTools: version < (firstUnforced[line] ?? at(5, 5)),
  };
});

/** Versions as numbers that compare as versions do. */
function at(major: number, minor: number): number {
  return major * 100 + minor;
}

/** The first of a line that cannot be made to call a tool, where it is not 5.5. */
const firstUnforced: Readonly<Partial<Record<string, number>>> = { fable: at(5, 1), mythos: at(5, 1), haiku: at(6, 0) };

function offOf(line: string, version: number): ClaudeGeneration["off"] {
  if (line === "fable" || line === "mythos") return "never";
  if (version < at(5, 0)) return "silence";
  if (version < at(5, 5) || (line === "haiku" && version === at(5, 5))) return "disabled";
  return line === "sonnet" && version === at(5, 5) ? "between_tools" : "never";
}

const unheardOf = { line: "unknown", version: at(99, 0) };
/** Others speak Anthropic's protocol, too, as it was when they learnt it. */
const noClaude = { line: "none", version: at(4, 5) };
/** `claude-opus-4-5-20251101`, `claude-sonnet-5`; a date is no part of a version. */
const lineFirst = /claude-([a-z]+)-(\d{1,2})(?:-(\d{1,2}))?(?=-|$)/;
/** `claude-3-7-sonnet-20250219`, `claude-3-haiku-20240307`. */
const versionFirst = /claude-(\d)(?:-(\d))?-([a-z]+)/;
/** Before there were lines. */
const oldest = /claude-(?:v2|instant)/;

function read(modelId: string): { readonly line: string; readonly version: number } {
  if (!modelId.includes("claude")) return noClaude;
  const [, unrevised, name] = modelNames(modelId);
  const [, line, major, minor = "0"] = lineFirst.exec(name) ?? [];
  if (line !== undefined && line !== "instant") return { line, version: at(Number(major), Number(minor)) };
  const [, first, second = "0", early] = versionFirst.exec(name) ?? [];
  if (early !== undefined) return { line: early, version: at(Number(first), Number(second)) };
  if (oldest.test(unrevised)) return { line: "instant", version: at(2, 0) };
  return anothersName.test(modelId) ? noClaude : unheardOf;
}

/** Such as a LiteLLM proxy's `claude-prod`: whichever Claude that is, it is asked as clients ask, and answers for itself. */
const anothersName = /^(?!.*anthropic\.)\D*$/;

/** The strongest of a generation's words that is not above the one asked for; undefined for a word of another language. */
export function effortWithin(asked: string, efforts: readonly ClaudeEffort[]): ClaudeEffort | undefined {
  const wanted = claudeEfforts.indexOf((asked === "minimal" ? "low" : asked) as ClaudeEffort);
  if (wanted < 0) return undefined;
  return efforts.findLast((effort) => claudeEfforts.indexOf(effort) <= wanted);
}
