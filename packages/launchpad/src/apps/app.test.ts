import { expect, test } from "vitest";
import { appSettings } from "./app.ts";

const originsOf = (origins: readonly string[]) =>
  appSettings.parse({ name: "Demo", connection: "demo", database: "demo", origins }).origins;

test.each([
  ["with a slash at its end", "https://intranet.example.com/", "https://intranet.example.com"],
  ["with a path", "https://intranet.example.com/page?a=b#c", "https://intranet.example.com"],
  [
    "with capitals and the port that goes without saying",
    "HTTPS://Intranet.Example.com:443",
    "https://intranet.example.com",
  ],
  ["with a port of its own", "http://localhost:8080", "http://localhost:8080"],
  ["whose origin has no name but its own", "chrome-extension://abc", "chrome-extension://abc"],
])("an origin %s is kept as browsers send it", (_, written, kept) => {
  expect(originsOf([written])).toEqual([kept]);
});
