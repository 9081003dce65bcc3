/** Answers whose clients have left, and which are read on for a while so that their usage is known. */
export interface Drains {
  /** The process goes: nothing is read on any more. */
  readonly isOver: boolean;
  /** @param cut ends the reading; called once, unless the drain has ended before @returns to be called when it has */
  begin(cut: () => void): () => void;
  /** Cuts all that run: nobody would hear of their usage once the process has gone. */
  cutAll(): void;
}

/** @param ms milliseconds that an abandoned answer may still be read */
export function createDrains(ms: number): Drains {
  const running = new Set<() => void>();
  let isOver = false;
  return {
    get isOver() {
      return isOver;
    },
    begin(cut) {
      const end = (): void => {
        clearTimeout(timer);
        running.delete(cut);
      };
      const timer = setTimeout(cut, ms);
      running.add(cut);
      return end;
    },
    cutAll() {
      isOver = true;
      for (const cut of [...running]) cut();
    },
  };
}
