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
    const text = decoder.decode(value, { stream: true });
    // What is held has no line's end: it is not looked through again with each part of a long line.
    const end = text.lastIndexOf("\n");
    if (end < 0) rest += text;
    else {
      const whole = rest + text.slice(0, end);
      rest = text.slice(end + 1);
      for (const part of whole.split("\n")) if (part !== "") yield JSON.parse(part);
    }
  }
  if (rest !== "") yield JSON.parse(rest);
}
