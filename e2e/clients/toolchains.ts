import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { NotHere, run } from "./python.ts";

/** A program, and what comes before arguments of its own. */
export type Command = readonly [program: string, ...args: string[]];

interface Place {
  /** The clients' sources. */
  readonly sources: string;
  /** Where what is fetched and built is kept. */
  readonly home: string;
  /** What the TLS front shows, to be trusted. */
  readonly certificate: string;
}

/** How the clients of each language are made; @throws NotHere without the toolchain, or its registry in reach. */
const builds: Readonly<Record<Language, (place: Place) => Promise<Command>>> = { go, java, rust };

export type Language = "go" | "java" | "rust";

/** @throws NotHere when the toolchain or its registry is missing; Error when the clients cannot be built */
export async function build(language: Language, environments: string, certificate: string): Promise<Command> {
  const home = join(environments, language);
  mkdirSync(home, { recursive: true });
  return builds[language]({ sources: join(import.meta.dirname, language), home, certificate });
}

async function go({ sources, home }: Place): Promise<Command> {
  const program = join(home, "clients");
  const own = {
    GOMODCACHE: join(home, "mod"),
    GOCACHE: join(home, "cache"),
    GOTOOLCHAIN: "local",
    GOFLAGS: "-modcacherw",
  };
  await made("go", ["build", "-o", program, "."], { cwd: sources, env: { ...process.env, ...own } });
  return [program];
}

async function java({ sources, home, certificate }: Place): Promise<Command> {
  const [jars, classes, trusted] = [join(home, "classpath.txt"), join(home, "classes"), join(home, "trusted.p12")];
  const fetched = [`-Dmaven.repo.local=${join(home, "m2")}`, `-Dmdep.outputFile=${jars}`];
  await made("mvn", ["-q", "-B", "dependency:build-classpath", ...fetched], { cwd: sources, env: process.env });
  const files = readdirSync(sources).filter((file) => file.endsWith(".java"));
  const classPath = readFileSync(jars, "utf8").trim();
  await made("javac", ["--release", "17", "-cp", classPath, "-d", classes, ...files], { cwd: sources });
  rmSync(trusted, { force: true });
  const store = ["-keystore", trusted, "-storetype", "PKCS12", "-storepass", "changeit"];
  await made("keytool", ["-importcert", "-noprompt", "-file", certificate, ...store], { cwd: sources });
  const trust = [`-Djavax.net.ssl.trustStore=${trusted}`, "-Djavax.net.ssl.trustStorePassword=changeit"];
  return ["java", ...trust, "-cp", `${classes}:${classPath}`, "clients.Main"];
}

async function rust({ sources, home }: Place): Promise<Command> {
  const own = { CARGO_HOME: join(home, "cargo"), CARGO_TARGET_DIR: join(home, "target") };
  // Cargo writes its lock beside the sources.
  const copy = join(home, "sources");
  cpSync(sources, copy, { recursive: true });
  await made("cargo", ["build", "--quiet"], { cwd: copy, env: { ...process.env, ...own } });
  return [join(home, "target", "debug", "clients")];
}

const noSuchProgram = 127;
const tooOld = /requires go >= |requires rustc |release version 17 not supported/;
const unreachable =
  /dial tcp|no such host|Unknown host|Could not transfer artifact|Could not resolve host|failed to download|connection refused|timed out/i;

async function made(program: string, args: readonly string[], options: Parameters<typeof run>[2]): Promise<void> {
  const { code, output } = await run(program, args, options);
  if (code === 0) return;
  if (code === noSuchProgram) throw new NotHere(`${program} was not found; install it and run this again`);
  const said = output.slice(-3000);
  if (tooOld.test(output)) throw new NotHere(`${program} is too old: ${said}`);
  if (unreachable.test(output)) throw new NotHere(`the registry that ${program} asks is not reachable`);
  throw new Error(`${program} ${args[0]} ended with ${code}:\n${said}`);
}
