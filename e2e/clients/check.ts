export type Print = (line: string) => void;

export interface Checks {
  /** What fails is told and does not hold up the others. */
  check(what: string, work: () => Promise<void>): Promise<void>;
  held(): boolean;
}

/** Checks of one client, told as the scripts in Python tell theirs. */
export function createChecks(client: string, print: Print): Checks {
  let held = true;
  return {
    async check(what, work) {
      try {
        await work();
        print(`ok      ${client}: ${what}`);
      } catch (error) {
        held = false;
        print(`FAILED  ${client}: ${what}\n${String(error)}`);
      }
    },
    held: () => held,
  };
}

/** @throws Error with what was seen instead */
export function must(holds: boolean, seen: unknown): void {
  if (!holds) throw new Error(typeof seen === "string" ? seen : JSON.stringify(seen, undefined, 1));
}
