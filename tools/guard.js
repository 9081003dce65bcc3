// Plain JavaScript, so that any Node can read it: `.ts` files run directly only on the Node this project brings.
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [major] = process.versions.node.split(".").map(Number);
const [, , script, ...rest] = process.argv;

if (script === undefined) {
  console.error("guard: name the script to run");
  process.exit(64);
}
if (major === undefined || major < 26) {
  const brought = resolve(import.meta.dirname ?? ".", "../node_modules/node/bin/node");
  console.error(
    `Onbehalf runs on Node 26 or newer; this is Node ${process.versions.node} (${process.execPath}).\n` +
      (existsSync(brought)
        ? "The right one is installed here already. Use `npm start`, `npm test` or `npx pnpm run …`, which find it."
        : "Run `npm start` or `npm test`: they install the right one inside this folder and leave yours alone."),
  );
  process.exit(78);
}
process.argv = [process.execPath, resolve(script), ...rest];
await import(pathToFileURL(resolve(script)).href);
