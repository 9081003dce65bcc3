/** "340 ms", "2.1 s". */
export function milliseconds(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(1)} s`;
}

/** "58 min 3 s", "42 s", "expired"; the same words as the page's script writes. */
export function secondsLeft(seconds: number): string {
  const left = Math.floor(seconds);
  if (left <= 0) return "expired";
  if (left < 60) return `${left} s`;
  if (left < 3600) return `${Math.floor(left / 60)} min ${left % 60} s`;
  return `${Math.floor(left / 3600)} h ${Math.floor((left % 3600) / 60)} min`;
}

/** An issuer's last two path segments say which authorization server it is; the host alone does not. */
export function shortIssuer(issuer: string): string {
  if (!URL.canParse(issuer)) return issuer;
  const { pathname, hostname } = new URL(issuer);
  const path = pathname.split("/").filter((part) => part !== "");
  return path.length === 0 ? hostname : path.slice(-2).join("/");
}

/** "2026-11-22 06:40 UTC". */
export function timeText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What a User-Agent header says, short enough to recognise one's own browser by. */
export function browserName(userAgent: string): string {
  const browser = [
    ["Edg/", "Edge"],
    ["OPR/", "Opera"],
    ["Firefox/", "Firefox"],
    ["Chrome/", "Chrome"],
    ["Safari/", "Safari"],
    ["curl/", "curl"],
  ].find(([sign = ""]) => userAgent.includes(sign))?.[1];
  const system = ["Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux"].find((name) => userAgent.includes(name));
  return [browser ?? "A browser", system?.replace("Mac OS X", "Mac")].filter(Boolean).join(" on ");
}

/** "$0.0056"; what cost something is never shown as nothing. */
export function dollars(usd: number): string {
  if (usd > 0 && usd < 0.0001) return "<$0.0001";
  return `$${usd.toFixed(usd < 1 ? 4 : 2)}`;
}
