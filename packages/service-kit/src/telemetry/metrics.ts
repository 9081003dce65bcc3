import { createServer } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { PrometheusExporter } from "@opentelemetry/exporter-prometheus";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider } from "@opentelemetry/sdk-metrics";
import { listen } from "../listen.ts";
import type { Meters, RequestObserver, TelemetryOptions } from "./telemetry.ts";

/** The meters of a service behind a port of their own; `close` frees it. */
export interface Metrics extends Meters {
  readonly requests: RequestObserver;
  close(): Promise<void>;
}

/** Seconds: from a cached answer to a long stream. */
const durations = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Keeps the measurements of one service and shows them on a port of their own, for nobody but the operators. */
export async function serveMetrics({
  service,
  host,
  metricsPort,
  log,
}: TelemetryOptions & { readonly metricsPort: number }): Promise<Metrics> {
  const exporter = new PrometheusExporter({ preventServerStart: true, withoutScopeInfo: true });
  const resource = resourceFromAttributes({ "service.name": service });
  const provider = new MeterProvider({ resource, readers: [exporter] });
  const meter = provider.getMeter(service);
  const meters: Meters = {
    counter(name, { description, unit }) {
      const counter = meter.createCounter(withUnit(name, unit), { description });
      return (value, labels) => counter.add(value, labels);
    },
    histogram(name, { description, unit, buckets = durations }) {
      const advice = { explicitBucketBoundaries: [...buckets] };
      const histogram = meter.createHistogram(withUnit(name, unit), { description, advice });
      return (value, labels) => histogram.record(value, labels);
    },
    gauge(name, { description, unit }, read) {
      const gauge = meter.createObservableGauge(withUnit(name, unit), { description });
      gauge.addCallback((result) => result.observe(read()));
    },
  };
  const stopProcess = observeProcess(meters);
  const server = createServer((request, response) => {
    if (request.method === "GET" && request.url?.split("?", 1)[0] === "/metrics") {
      exporter.getMetricsRequestHandler(request, response);
    } else {
      response.writeHead(404).end();
    }
  });
  const port = await listen(server, { host, port: metricsPort, portVariable: "METRICS_PORT" });
  log.info({ host, port }, "metrics");
  return {
    ...meters,
    requests: observeRequests(meters),
    async close() {
      stopProcess();
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, provider.shutdown()]);
    },
  };
}

/** Prometheus has the unit in the name, in full; the exporter leaves that to us. */
function withUnit(name: string, unit: string | undefined): string {
  const suffix = unit === "s" ? ".seconds" : unit === "By" ? ".bytes" : "";
  return name.endsWith(suffix) ? name : name + suffix;
}

/** OpenTelemetry's semantic conventions for HTTP servers, and how it ended in this system's words. */
function observeRequests({ histogram, gauge }: Meters): RequestObserver {
  let running = 0;
  const observe = histogram("http.server.request.duration", {
    description: "Seconds from the request's head to the answer's end",
    unit: "s",
  });
  gauge("http.server.active_requests", { description: "Requests that are running" }, () => running);
  return {
    begin() {
      running += 1;
    },
    end({ route, status, outcome, ms }) {
      running -= 1;
      const [method = "", path = ""] = route.split(" ", 2);
      observe(ms / 1_000, {
        "http.request.method": method,
        "http.route": path,
        "http.response.status_code": status,
        outcome,
      });
    },
  };
}

/** What tells a busy process from a sick one. */
function observeProcess({ gauge }: Meters): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  gauge("process.memory.usage", { description: "Resident memory", unit: "By" }, () => process.memoryUsage.rss());
  gauge(
    "nodejs.eventloop.delay.p99",
    { description: "99 of 100 waits for the event loop are shorter", unit: "s" },
    () => {
      const seconds = delay.percentile(99) / 1e9;
      delay.reset();
      return seconds;
    },
  );
  return () => delay.disable();
}
