import { createClient } from "redis";

/** The client library's own type, without its plug-ins. */
export type RedisClient = ReturnType<typeof newClient>;

const reconnectMs = 2_000;
const maxWaiting = 10_000;

/** Fails fast: nothing is queued for a connection that is not there. */
export function newClient(url: string, connectTimeout: number) {
  return createClient({
    url,
    disableOfflineQueue: true,
    commandsQueueMaxLength: maxWaiting,
    maintNotifications: "disabled",
    socket: {
      connectTimeout,
      reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, reconnectMs) * (0.5 + Math.random() / 2),
    },
  });
}
