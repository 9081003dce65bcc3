/* What the scripts share: where the gateway is, who asks, one small tool, one small picture, and how a check is told. */
import assert from "node:assert/strict";
import { z } from "zod";

export const gateway = process.env.GATEWAY_URL;
export const { ALICE_TOKEN: alice, BOB_TOKEN: bob, MALLORY_TOKEN: mallory } = process.env;

export const model = "claude-sonnet-4-5";
export const noModel = "claude-none";
export const embeddingModel = "titan-embed-v2";

export const hello = "Say hello.";
export const standIn = "stand-in";

/** The stand-in for Bedrock answers by rule: it calls `run_sparql` for a question it can read by the schema in the prompt. */
export const system = `The schema:
PREFIX f: <urn:film#>
Classes (instances):
- f:Film (3) "film", "movie"
- f:Person (5) "person", "people"
Properties (from -> to, uses):
- f:directedBy: f:Film -> f:Person (3) "is directed by", "director"; backwards "directed"
`;
export const question = "Who is the director of Alien?";
export const director = "Ridley Scott";
export const toolName = "run_sparql";
export const toolDescription = "Runs a read-only SPARQL query.";
export const toolSchema = z.object({ query: z.string(), question: z.string() });

/** The rows a database would give; the arguments must be the query the question asks for. */
export function runSparql({ query }) {
  assert.match(query, /f:directedBy[\s\S]*" alien "/);
  const columns = ["subject", "subjectName", "object", "objectName"];
  return JSON.stringify({ graph_data: { columns, rows: [["urn:alien", "Alien", "urn:scott", director]] } });
}

/** A red square of 8 by 8 pixels. */
export const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP4z8CAFWEXHbQSACj/P8Fu7N9hAAAAAElFTkSuQmCC",
  "base64",
);
/** The stand-in counts four characters a token over all it was sent, so its count shows that the picture arrived. */
export const pngTokens = Math.floor(png.toString("base64").length / 4);
export const look = "What colour is this?";

/** What a call is refused with, as its user reads it. */
export async function refusalOf(call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    return `${error.message} ${error.responseBody ?? ""}`;
  }
  throw new Error(`was not refused, but answered ${JSON.stringify(answer)}`);
}

/** Prints one line a check; the process ends with 1 when one failed. */
export async function runAll(client, checks) {
  for (const [what, check] of Object.entries(checks)) {
    try {
      await check();
      print(`ok      ${client}: ${what}`);
    } catch (error) {
      process.exitCode = 1;
      print(`FAILED  ${client}: ${what}\n${error.stack}`);
    }
  }
}

function print(text) {
  process.stdout.write(`${text}\n`);
}
