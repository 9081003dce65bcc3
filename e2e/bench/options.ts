import { parseArgs } from "node:util";

export const measurements = ["throughput", "latency", "memory", "processes"] as const;
export type Measurement = (typeof measurements)[number];

export interface Options {
  readonly seconds: number;
  readonly rounds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly streams: number;
  readonly portkey: boolean;
  readonly only: readonly Measurement[];
}

export const usage = `npm run -s bench -- [--seconds 4] [--rounds 5] [--warm-up 10] [--connections 32] [--streams 1000]
                        [--only ${measurements.join(",")}] [--portkey]`;

/** @throws TypeError naming what is wrong */
export function readOptions(args: readonly string[]): Options {
  const text = (otherwise: string) => ({ type: "string", default: otherwise }) as const;
  const { values } = parseArgs({
    args: args.filter((one) => one !== "--"),
    options: {
      seconds: text("4"),
      rounds: text("5"),
      "warm-up": text("10"),
      connections: text("32"),
      streams: text("1000"),
      only: text(measurements.join(",")),
      portkey: { type: "boolean", default: false },
    },
  });
  return {
    seconds: count("seconds", values.seconds),
    rounds: count("rounds", values.rounds),
    warmUpSeconds: count("warm-up", values["warm-up"]),
    connections: count("connections", values.connections),
    streams: count("streams", values.streams),
    portkey: values.portkey,
    only: values.only.split(",").map(measurement),
  };
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new TypeError(`--${name} ${text}: expected a whole number from 1`);
  return value;
}

function measurement(name: string): Measurement {
  const found = measurements.find((one) => one === name);
  if (found === undefined) throw new TypeError(`--only ${name}: expected ${measurements.join(", ")}`);
  return found;
}
