// @ts-check
/** @param {string} question @param {string} url @param {HTMLElement} button */
export async function copyCurl(question, url, button) {
  const body = JSON.stringify({ query: question }).replaceAll("'", "'\\''");
  const headers = [
    `-H "Authorization: Bearer $ACCESS_TOKEN"`,
    `-H "X-Voicebox-App-Key: $APP_KEY"`,
    `-H 'X-Client-Id: my-client'`,
  ];
  const json = `-H 'Content-Type: application/json'`;
  const parts = [`curl -X POST '${url}/api/v1/voicebox/ask'`, ...headers, json, `-d '${body}'`];
  await navigator.clipboard.writeText(parts.join(" \\\n  "));
  button.textContent = "Copied";
  setTimeout(() => (button.textContent = "Copy as curl"), 1500);
}
