import type { z } from "zod";

/** Any schema of Zod, seen from outside: only its definition is read. */
export type Schema = z.core.$ZodType;

/** As much of a schema's definition as is needed to find the keys in it. */
interface Definition {
  readonly type: string;
  readonly innerType?: Schema;
  readonly in?: Schema;
  readonly getter?: () => Schema;
  readonly shape?: Readonly<Record<string, Schema>>;
  readonly catchall?: Schema;
  readonly element?: Schema;
  readonly valueType?: Schema;
  readonly options?: readonly Schema[];
  readonly left?: Schema;
  readonly right?: Schema;
}

/** What stands behind `optional`, `default`, `nullable`, `transform`, `lazy` and the like. */
export function unwrap(schema: Schema): Definition {
  const inner = innerSchema(schema);
  return inner === undefined ? definitionOf(schema) : unwrap(inner);
}

/** The schema one wrapper further in; undefined when nothing is wrapped. */
export function innerSchema(schema: Schema): Schema | undefined {
  const { getter, innerType, in: input } = definitionOf(schema);
  return getter?.() ?? innerType ?? input;
}

function definitionOf(schema: Schema): Definition {
  return schema._zod.def as Definition;
}
