/**
 * Finds what must never be read by anyone: tokens, keys, cookies, passwords, wherever they stand in a text. It works
 * on a whole serialised log line, so a secret is found in a nested field, a message, a stack or a URL alike. It
 * prefers to hide a harmless word over showing a secret.
 */
export const masked = "[masked]";

const names =
  "(?:token|secret|passw(?:or)?d|assertion|verifier|authorization|cookie|jwt|(?:api|app|master|private|access|virtual|signing)[-_]?key)";

/**
 * A cheap look first: most lines hold nothing of the kind. Each rule below has its sign here; four small patterns are
 * faster than one large one, and a pattern that looks for its rarest sign and then back is faster than one that tries a
 * dozen words at every letter.
 */
const signs: readonly RegExp[] = [
  new RegExp(`[:=](?<=${names}\\\\*["']?\\s*[:=])`, "i"),
  /eyJ|(?<![A-Za-z0-9])(?:sk-|ob[-_])|-----BEGIN|[?&](?:code|sig|x-amz)|__(?:Host|Secure)-/i,
  /:\/\/[^/@\s"']*@/,
  /\s(?<=(?:bearer|basic|dpop)\s)/i,
];

/** Those that have a plain word for a sign: a search for one costs next to nothing. */
const words: readonly string[] = ["AKIA", "ASIA", "ABSK", "bedrock-api-key-"];

/**
 * A stranger writes part of what is masked. So nothing here begins anew at each of many signs to read to the end of the
 * text, and no two parts in a row can share out the same letters between them: a long text takes as long as it is.
 */
const rules: readonly (readonly [RegExp, string])[] = [
  // PEM private keys, also with line ends escaped by JSON
  [/-----BEGIN[A-Z ]*PRIVATE KEY-----(?:[^"\\]|\\[\s\S])*?(?:-----END[A-Z ]*PRIVATE KEY-----|(?=")|\\?$)/g, masked],
  // a JSON member with a telling name: a string or a list of strings
  [new RegExp(`(${names}":)(?:"(?:[^"\\\\]|\\\\.)*"|\\[(?:"(?:[^"\\\\]|\\\\.)*",?)*\\])`, "gi"), `$1"${masked}"`],
  // JWT and JWE (RFC 7515, 7516): every compact form starts with base64url of `{"`
  [/eyJ[\w-]{6,}(?:\.[\w-]*)*/g, masked],
  // keys this system gives out, and those of model providers
  [/(?<![A-Za-z0-9])(?:sk-|ob[-_])[\w-]{6,}/g, masked],
  // AWS: ids of access keys, and keys of Bedrock alone
  [/(?<![A-Za-z0-9])(?:A[KS]IA[A-Z0-9]{12,}|ABSK[A-Za-z0-9+/=]{16,}|bedrock-api-key-[\w+/=-]{6,})/g, masked],
  // Authorization and challenge schemes (RFC 9110 section 11.1)
  [/\b(bearer|basic|dpop)(\s+)(?!\w+=\\*")[\w.~+/-]{8,}=*/gi, `$1$2${masked}`],
  // user and password in a URL
  [/(:\/\/)[^/@\s"':]*:[^/@\s"']*@/g, `$1${masked}@`],
  // Cookie and Authorization headers in running text, to the end of the line
  [
    /\b((?:set-)?cookie|authorization)([^\S\r\n]*[:=])(?!\s*"?\[masked\])([^\S\r\n]*)[^\r\n"\\]{4,}/gi,
    `$1$2$3${masked}`,
  ],
  // name=value in queries, forms and cookies; name: 'value' as Node prints objects. A quote that JSON's own signs follow
  // or that stands behind escaped backslashes is the end of a text that ends so, and no beginning.
  [
    new RegExp(
      `(${names})(\\\\*["']?\\s*[:=]\\s*(?:\\\\*'|(?:\\\\\\\\)*\\\\"|"(?![,:}\\]])))(?!\\[masked\\])[^"'\\\\]+`,
      "gi",
    ),
    `$1$2${masked}`,
  ],
  [new RegExp(`(${names}=)(?!\\[masked\\])[^&\\s"'\\\\;,]+`, "gi"), `$1${masked}`],
  [new RegExp(`(${names}:\\s*)(?=[^\\s"'\\\\,;]{0,23}[0-9]|[^\\s"'\\\\,;]{24})[\\w.~+/=-]{6,}`, "gi"), `$1${masked}`],
  [/([?&](?:code|sig|x-amz-signature|x-amz-credential)=)[^&\s"'\\]+/gi, `$1${masked}`],
  [/(__(?:Host|Secure)-[\w-]{1,100}=)[^;\s"'\\]+/g, `$1${masked}`],
];

/** The text with every secret that can be recognised by its form replaced. */
export function mask(text: string): string {
  if (!signs.some((sign) => sign.test(text)) && !words.some((word) => text.includes(word))) return text;
  let result = text;
  for (const [pattern, replacement] of rules) result = result.replace(pattern, replacement);
  return result;
}

/**
 * A mask that also knows some secrets by their value, for those that have no form of their own.
 * @param secrets values of at least 8 characters; shorter ones would hide ordinary words
 */
export function createMask(secrets: readonly string[]): (text: string) => string {
  const known = secrets.filter((secret) => secret.length >= 8).map((secret) => JSON.stringify(secret).slice(1, -1));
  if (known.length === 0) return mask;
  const pattern = new RegExp(
    known
      .sort((a, b) => b.length - a.length)
      .map(literal)
      .join("|"),
    "g",
  );
  // Looked for before it is replaced: hardly any text holds one, and a plain search costs a tenth of the pattern's.
  const holdsOne = (text: string): boolean => known.some((secret) => text.includes(secret));
  return (text) => mask(holdsOne(text) ? text.replace(pattern, masked) : text);
}

function literal(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}
