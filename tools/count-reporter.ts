import type { Reporter, TestModule } from "vitest/node";
import { missingPrograms } from "./programs.ts";

/** Closes a run with one plain line of counts, and says again which tests this machine could not run. */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      if (module.state() === "failed" && [...module.children.allTests()].every((test) => test.ok())) failed += 1;
      for (const test of module.children.allTests()) {
        if (test.result().state === "passed") passed += 1;
        if (test.result().state === "failed") failed += 1;
      }
    }
    for (const { tests, name } of missingPrograms) {
      process.stdout.write(`left out: *.${tests}.test.ts, because ${name} is not installed here\n`);
    }
    process.stdout.write(`tests: ${passed} passed, ${failed} failed\n`);
  }
}
