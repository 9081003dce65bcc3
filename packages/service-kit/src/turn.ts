import type { Socket } from "node:net";

/** One for the process, as the loop is one; empty at the end of each of its turns. */
const waiting: (() => void)[] = [];

/**
 * Lets what is written to this connection leave at the end of the turn of the loop, together with what was written to
 * all others. A write wakes whoever sleeps at its other end, which costs more than the write; those that follow closely
 * find him awake. A turn that serves one connection loses nothing by it: its end is where it would have waited anyway.
 */
export function writeAtTurnsEnd(socket: Socket): void {
  const { uncork, end } = socket;
  const leave = uncork.bind(socket);
  socket.uncork = () => {
    if (waiting.push(leave) === 1) setImmediate(leaveAll);
  };
  // Node does not notice that an ended stream has finished when what was corked leaves after its end.
  socket.end = ((...last: Parameters<typeof end>) => {
    socket.uncork = uncork;
    socket.end = end;
    return socket.end(...last);
  }) as typeof end;
}

function leaveAll(): void {
  for (const leave of waiting.splice(0)) leave();
}
