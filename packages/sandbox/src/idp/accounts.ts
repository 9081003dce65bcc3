import type { User } from "./definitions.ts";
import type { Dialect } from "./dialects/dialect.ts";

/** The users as one issuer names them. */
export interface Accounts {
  readonly all: readonly User[];
  byUsername(name: string): User | undefined;
  bySubject(subject: string): User | undefined;
  subjectOf(user: User): string;
}

export function accountsOf(users: ReadonlyMap<string, User>, { subjectOf }: Pick<Dialect, "subjectOf">): Accounts {
  const bySubject = new Map([...users.values()].map((user) => [subjectOf(user), user]));
  return {
    all: [...users.values()],
    byUsername: (name) => users.get(name),
    bySubject: (subject) => bySubject.get(subject),
    subjectOf,
  };
}
