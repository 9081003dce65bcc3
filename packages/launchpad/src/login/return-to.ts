/**
 * Where to go after login: a path of this service and nothing else. `//host`, `/\host`, other schemes, control
 * characters and a way back into the login itself all become `/`.
 */
export function safeReturnTo(asked: string | undefined, publicUrl: string): string {
  if (asked === undefined || asked.length > 500 || !asked.startsWith("/")) return "/";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: URL parsers drop these, which would make //host of /\t/host
  if (/[\u0000-\u001f\\]/.test(asked) || asked.startsWith("//")) return "/";
  if (!URL.canParse(asked, publicUrl)) return "/";
  const url = new URL(asked, publicUrl);
  if (url.origin !== new URL(publicUrl).origin) return "/";
  if (/^\/+(login|logout|oauth)(\/|$)/.test(url.pathname) || url.pathname.startsWith("//")) return "/";
  return url.pathname + url.search + url.hash;
}
