/** One thing that is wrong with the configuration: which variable or key, and what was expected. */
export interface ConfigProblem {
  readonly name: string;
  readonly problem: string;
}

/**
 * The configuration cannot be used. Carries every problem, so that an operator fixes all of them in one go.
 * `runMain` prints it and exits 78 (EX_CONFIG of sysexits.h).
 */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: { readonly cause?: unknown }) {
    super(formatProblems(problems), options);
    this.problems = problems;
  }
}

/** A heading and one line per problem, for a terminal. */
function formatProblems(problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return [`${count} in the configuration:`, ...problems.map(({ name, problem }) => `  ${name}: ${problem}`)].join("\n");
}

/** Adds where the problems are, for example the path of a file, to each name. */
export function prefixed(problems: readonly ConfigProblem[], prefix: string): ConfigProblem[] {
  return problems.map(({ name, problem }) => ({ name: name === "" ? prefix : `${prefix}: ${name}`, problem }));
}

/** What is wrong with a file as a whole is told under the variable that names it: that is what has to be set anew. */
export function byVariable(problems: readonly ConfigProblem[], variable: string, path: string): ConfigProblem[] {
  return problems.map(({ name, problem }) =>
    name === path ? { name: variable, problem: `names ${path}, which ${problem}` } : { name, problem },
  );
}
