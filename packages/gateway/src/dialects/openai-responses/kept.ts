/** As many characters as an answer that comes whole may have bytes. */
const maxKept = 64 * 1024 * 1024;

/**
 * Counts what is kept of a streamed answer until its last event, which says it all again.
 * @returns gives each part back; throws RangeError once they are more than is kept
 */
export function createKept(): (part: string) => string {
  let kept = 0;
  return (part) => {
    kept += part.length;
    if (kept > maxKept) throw new RangeError(`the answer has more than the ${maxKept} characters that are kept of one`);
    return part;
  };
}
