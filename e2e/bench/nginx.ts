import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@onbehalf/service-kit/testing";
import { asking, type Contestant, plainModels } from "./contestants.ts";
import { directory, type Running, serverOf } from "./processes.ts";

/** One worker, connections to the provider kept, answers buffered as its default is and streams not. */
export async function startNginx(program: string, provider: Running, core: number | undefined): Promise<Contestant> {
  const [buffered, streaming] = [await freePort(), await freePort()];
  const home = mkdtempSync(join(directory, "nginx-"));
  const file = join(home, "nginx.conf");
  writeFileSync(file, configuration(home, new URL(provider.url).host, buffered, streaming));
  const url = `http://127.0.0.1:${buffered}`;
  const server = await serverOf({ name: "nginx", core, command: [program, "-p", home, "-c", file], url });
  const ask = asking({
    url: (kind) => (kind === "json" ? url : `http://127.0.0.1:${streaming}`),
    models: plainModels,
  });
  return { name: "nginx", server, ask, warmsUp: false };
}

function configuration(home: string, provider: string, buffered: number, streaming: number): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (one) => `${one}_temp_path ${home}/${one};`,
  );
  const server = (port: number, buffering: "on" | "off"): string => `server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering ${buffering};
    }
  }`;
  return `daemon off;
pid ${home}/nginx.pid;
error_log ${home}/error.log;
worker_processes 1;
events { worker_connections 16384; }
http {
  access_log off;
  ${temporary.join("\n  ")}
  keepalive_requests 1000000000;
  upstream provider {
    server ${provider};
    keepalive 256;
    keepalive_requests 1000000000;
  }
  ${server(buffered, "on")}
  ${server(streaming, "off")}
}
`;
}
