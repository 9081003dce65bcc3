import type { Rule } from "../rule.ts";
import { callAskedTool } from "./asked-tool.ts";
import { answerFromGraph } from "./graph-questions.ts";
import { answerSmallTalk } from "./small-talk.ts";
import { sayWhoAsks } from "./who-asks.ts";

/** What the stand-in can do when a service like Voicebox asks it, and then for any client with tools: in this order. */
export const rules: readonly Rule[] = [sayWhoAsks, answerSmallTalk, answerFromGraph, callAskedTool];
