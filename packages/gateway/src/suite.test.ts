import { accessSuite } from "./testing/suites/access.suite.ts";
import { boundsSuite } from "./testing/suites/bounds.suite.ts";
import { builtIn } from "./testing/suites/engine.ts";
import { keysSuite } from "./testing/suites/keys.suite.ts";
import { limitsSuite } from "./testing/suites/limits.suite.ts";
import { recordSuite } from "./testing/suites/record.suite.ts";
import { rotationSuite } from "./testing/suites/rotation.suite.ts";
import { usageSuite } from "./testing/suites/usage.suite.ts";

accessSuite(builtIn);
keysSuite(builtIn);
boundsSuite(builtIn);
limitsSuite(builtIn);
recordSuite(builtIn);
rotationSuite(builtIn);
usageSuite(builtIn);
