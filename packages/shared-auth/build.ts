/** Writes `dist`: JavaScript and declarations for consumers, who cannot run TypeScript inside node_modules. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const here = import.meta.dirname;
const dist = join(here, "dist");
rmSync(dist, { recursive: true, force: true });
const typescript = dirname(createRequire(join(here, "../../package.json")).resolve("typescript/package.json"));
execFileSync(process.execPath, [join(typescript, "bin/tsc"), "-p", join(here, "tsconfig.build.json")], {
  stdio: "inherit",
});

// The compiler turns `.ts` into `.js` in the code's imports but not in the declarations'.
for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (!name.endsWith(".d.ts")) continue;
  const file = join(dist, name);
  writeFileSync(file, readFileSync(file, "utf8").replace(/(from "|import\(")(\.{1,2}\/[^"]+)\.ts"/g, '$1$2.js"'));
}
