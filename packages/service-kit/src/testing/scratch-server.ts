import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "./free-port.ts";

/** A server of a test's own: on a free port, in a folder of its own, gone when the test is, however it ends. */
export interface ScratchServer {
  readonly port: number;
  /** What it writes is in here. */
  readonly folder: string;
  /** Stops it and removes what it wrote. */
  stop(): Promise<void>;
  /** Stops it for a while: what it wrote stays. */
  down(): Promise<void>;
  /** Starts it again, on the same port. */
  up(): Promise<void>;
}

export interface ScratchProgram {
  readonly name: string;
  /** The command for a port and a folder. */
  command(port: number, folder: string): readonly string[];
  /** Run once, before the first start. */
  prepare?(folder: string): Promise<void>;
  /** Rejects until the server answers. */
  probe(port: number): Promise<void>;
  /** Whom to run it as; this process's own user when absent. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

const startMs = 30_000;
const attempts = 3;

/** A port may be taken between choosing and binding it, hence more than one attempt. */
export async function startScratch(program: ScratchProgram): Promise<ScratchServer> {
  const folder = mkdtempSync(join(tmpdir(), `onbehalf-${program.name}-`));
  if (program.user !== undefined) chownSync(folder, program.user.uid, program.user.gid);
  try {
    await program.prepare?.(folder);
    for (let attempt = 1; ; attempt += 1) {
      const port = await freePort();
      try {
        return running(program, folder, port, await launch(program, folder, port));
      } catch (error) {
        if (attempt === attempts) throw error;
      }
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

function running(program: ScratchProgram, folder: string, port: number, first: ChildProcess): ScratchServer {
  let child: ChildProcess | undefined = first;
  const down = async (): Promise<void> => {
    if (child !== undefined) await end(child);
    child = undefined;
  };
  return {
    port,
    folder,
    down,
    async up() {
      child ??= await launch(program, folder, port);
    },
    async stop() {
      await down();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * The server in the shadow of this process: the shell between them reads from a pipe that closes when this process
 * ends, in whatever way, and then stops the server. After a killed test run it also removes the folder.
 */
const shadow = `exec 3<&0
"$@" <&- 3<&- >>"$FOLDER/log" 2>&1 &
server=$!
{ read word <&3 || word=orphaned; kill -INT $server 2>/dev/null; test "$word" = orphaned && { wait; sleep 1; rm -rf "$FOLDER"; }; } &
exec 3<&-
wait $server`;

async function launch(program: ScratchProgram, folder: string, port: number): Promise<ChildProcess> {
  const child = spawn("/bin/sh", ["-c", shadow, "sh", ...program.command(port, folder)], {
    cwd: folder,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8", FOLDER: folder },
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
    ...program.user,
  });
  const deadline = performance.now() + startMs;
  while (performance.now() < deadline && child.exitCode === null) {
    const up = await program.probe(port).then(
      () => true,
      () => false,
    );
    if (up && child.exitCode === null) return child;
    await sleep(25);
  }
  await end(child);
  throw new Error(
    `${program.name} did not start on port ${port}:\n${readFileSync(join(folder, "log"), "utf8").slice(-2_000)}`,
  );
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.stdin?.end("stop\n");
  await exited;
}

/** Resolves when something accepts connections there and answers as expected. */
export async function converse(port: number, question: string, expected: string): Promise<void> {
  const socket = connect(port, "127.0.0.1").setTimeout(1_000, () => socket.destroy(new Error("no answer")));
  try {
    await once(socket, "connect");
    socket.write(question);
    const [answer] = await once(socket, "data");
    if (!String(answer).startsWith(expected)) throw new Error(`unexpected answer: ${String(answer)}`);
  } finally {
    socket.destroy();
  }
}
