/** Gathers pieces into few buffers, in their order. */
export interface Pages {
  add(piece: Buffer): void;
  /** Nothing more comes: what is on the last page is among the parts then. */
  close(): void;
}

/** Pieces of this size are kept as they came; what there is beside the bytes weighs nothing against them. */
const ownBytes = 4_096;
const pageBytes = 65_536;

/**
 * A body may come in pieces of one byte, each a `Buffer` of some two hundred in memory: 32 MiB of them would end the
 * process. Small pieces are copied onto pages instead.
 * @param parts where the buffers go
 */
export function gatherOnPages(parts: Buffer[]): Pages {
  let page = Buffer.allocUnsafeSlow(pageBytes);
  let [begin, end] = [0, 0];
  const close = (): void => {
    if (end > begin) parts.push(page.subarray(begin, end));
    begin = end;
  };
  return {
    add(piece) {
      if (piece.length >= ownBytes) {
        close();
        parts.push(piece);
        return;
      }
      if (end + piece.length > pageBytes) {
        close();
        page = Buffer.allocUnsafeSlow(pageBytes);
        [begin, end] = [0, 0];
      }
      end += piece.copy(page, end);
    },
    close,
  };
}
