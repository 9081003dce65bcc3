import { defineConfig } from "vitest/config";
import { missingPrograms } from "./tools/programs.ts";

const leftOut = missingPrograms.flatMap(({ tests }) => [`**/*.${tests}.test.ts`, `**/*.${tests}.*.test.ts`]);
const never = ["**/node_modules/**", "**/dist/**"];

export default defineConfig({
  test: {
    reporters: ["default", "./tools/count-reporter.ts"],
    projects: [
      {
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "tools/**/*.test.ts"],
          exclude: [...never, ...leftOut],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts", "examples/**/*.test.ts", "packages/*/test/**/*.test.ts"],
          exclude: [...never, ...leftOut],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
