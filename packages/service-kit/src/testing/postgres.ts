import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { findProgram } from "./programs.ts";
import { type ScratchServer, startScratch } from "./scratch-server.ts";

export interface PostgresServer extends ScratchServer {
  /** Of the database `postgres`. */
  readonly url: string;
  /** Makes an empty database, so that test files can share one server. */
  createDatabase(): Promise<string>;
}

const run = promisify(execFile);
/** What makes a server fast that nobody will miss. */
const careless = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "unix_socket_directories="];

/** A PostgreSQL of the test's own, without sockets in the file system. It refuses to run as root, so it does not. */
export async function startPostgres(): Promise<PostgresServer> {
  const program = findProgram("postgres");
  if (program === undefined) throw new Error("PostgreSQL is not installed: apt-get install postgresql");
  const user = process.getuid?.() === 0 ? accountOf("postgres") : undefined;
  const initdb = join(dirname(program), "initdb");
  const flags = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"];
  const server = await startScratch({
    name: "postgres",
    user,
    prepare: async (folder) => {
      await run(initdb, [`--pgdata=${folder}/data`, ...flags], { ...user, cwd: folder });
    },
    command: (port, folder) => {
      const settings = careless.flatMap((setting) => ["-c", setting]);
      return [program, "-D", `${folder}/data`, "-p", String(port), "-h", "127.0.0.1", ...settings];
    },
    probe: (port) => query(urlOf(port, "postgres"), "select 1"),
  });
  return {
    ...server,
    url: urlOf(server.port, "postgres"),
    async createDatabase() {
      const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
      await query(urlOf(server.port, "postgres"), `create database ${name}`);
      return urlOf(server.port, name);
    },
  };
}

function urlOf(port: number, database: string): string {
  return `postgresql://postgres@127.0.0.1:${port}/${database}`;
}

async function query(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    await client.query(statement);
  } finally {
    await client.end().catch(() => {});
  }
}

/** The ids of a system account. */
function accountOf(name: string): { uid: number; gid: number } {
  const line = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error(`no account ${name}: PostgreSQL cannot run as root`);
  return { uid: Number(uid), gid: Number(gid) };
}
