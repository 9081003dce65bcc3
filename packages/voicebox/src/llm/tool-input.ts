/** What a model gave as a tool's input; undefined when it is not JSON. No arguments at all are an empty object. */
export function toolInput(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
