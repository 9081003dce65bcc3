/**
 * The names under which a model of Bedrock's is known, from its id as a call has it to the shortest:
 * `arn:…:inference-profile/us.anthropic.claude-x-v1:0` → `anthropic.claude-x-v1:0`, `anthropic.claude-x-v1`,
 * `anthropic.claude-x`. The version is part of some models' names and of most only a suffix.
 */
export function modelNames(id: string): readonly [whole: string, unrevised: string, unversioned: string] {
  const whole = profileOf(id).replace(/^(?:us|eu|apac|jp|au|ca|us-gov|global)\./, "");
  const unrevised = whole.replace(/:\d+(?::\w+)?$/, "");
  return [whole, unrevised, unrevised.replace(/-v\d+$/, "")];
}

/** True for a profile that AWS may serve from any of its regions. */
export function isGlobal(id: string): boolean {
  return profileOf(id).startsWith("global.");
}

function profileOf(id: string): string {
  return id.startsWith("arn:") ? id.slice(id.lastIndexOf("/") + 1) : id;
}
