// @ts-check
/** Each line of a body that is read piece by piece, as what it says. */
/** @param {ReadableStream<Uint8Array>} body */
export async function* lines(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest += decoder.decode(value, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") yield JSON.parse(part);
  }
  if (rest !== "") yield JSON.parse(rest);
}
