import { accessSuite } from "./suites/access.suite.ts";
import { builtIn } from "./suites/engine.ts";
import { keysSuite } from "./suites/keys.suite.ts";
import { limitsSuite } from "./suites/limits.suite.ts";

accessSuite(builtIn);
keysSuite(builtIn);
limitsSuite(builtIn);
