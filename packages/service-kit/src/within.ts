/**
 * The work's own result or error when it comes in time. The work is not stopped; what it does afterwards is nobody's.
 * @param late what is given instead when the time is over, or a rejection
 */
export async function within<T>(work: Promise<T>, ms: number, late: () => T | Promise<T>): Promise<T> {
  const over = Promise.withResolvers<T>();
  const timer = setTimeout(() => over.resolve(late()), ms);
  try {
    return await Promise.race([work, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
