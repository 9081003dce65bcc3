import { run } from "./idp/token-command.ts";

const write = (stream: NodeJS.WriteStream) => (text: string) => void stream.write(text);

process.exitCode = await run(process.argv.slice(2), {
  env: process.env,
  out: write(process.stdout),
  err: write(process.stderr),
});
