import { type SpawnOptions, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A virtual environment with the packages of one requirements file in it. */
export interface PythonHome {
  /** A program of the environment, such as `python`. */
  program(name: string): string;
}

/** Something this machine or its network lacks: no fault of what is tested. */
export class NotHere extends Error {
  override readonly name = "NotHere";
}

const unreachable =
  /from versions: none|NewConnectionError|NameResolutionError|ConnectTimeout|Max retries exceeded|Temporary failure in name resolution|Network is unreachable/;

/**
 * The environment of a requirements file, made once and kept until the file or the Python changes.
 * @throws NotHere when there is no fitting Python, or no package index in reach
 */
export async function pythonHome(folder: string, requirements: string): Promise<PythonHome> {
  const python = await findPython();
  const wanted = readFileSync(join(import.meta.dirname, requirements), "utf8");
  const digest = createHash("sha256").update(`${python}\n${wanted}`).digest("hex").slice(0, 12);
  const home = join(folder, `${requirements.replace(/\.txt$/, "")}-${digest}`);
  const program = (name: string): string => join(home, "bin", name);
  const done = join(home, "complete");
  if (existsSync(done)) return { program };

  rmSync(home, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await must(python, ["-m", "venv", home]);
  const options = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"];
  await must(program("python"), ["-m", "pip", "install", ...options, "-r", join(import.meta.dirname, requirements)]);
  writeFileSync(done, "");
  return { program };
}

/** What all of these packages run on. */
async function findPython(): Promise<string> {
  for (const name of ["python3.11", "python3.12", "python3"]) {
    const check = "import sys, venv, ensurepip; sys.exit(0 if (3, 11) <= sys.version_info < (3, 13) else 1)";
    const { code } = await run(name, ["-c", check]);
    if (code === 0) return name;
  }
  throw new NotHere("no Python 3.11 or 3.12 with venv was found; install one and run this again");
}

async function must(program: string, args: readonly string[]): Promise<void> {
  const { code, output } = await run(program, args);
  if (code === 0) return;
  if (unreachable.test(output)) throw new NotHere("PyPI is not reachable, so its packages could not be installed");
  throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${output.slice(-3000)}`);
}

/** As a shell says it. */
const noSuchProgram = 127;

/** Runs a program to its end; its output is kept, or shown when `stdio` says so. */
export async function run(program: string, args: readonly string[], options: SpawnOptions = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], ...options });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const code = await once(child, "close").then(
    ([status]) => status as number | null,
    (error: unknown) => {
      output += String(error);
      return noSuchProgram;
    },
  );
  return { code, output };
}
