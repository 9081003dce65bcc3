import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace as traceApi,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { mask } from "../mask.ts";
import { createRandomHex, type Trace } from "../trace.ts";
import { exportHeaders } from "./export-headers.ts";
import type { Labels, RequestObserver, Span, TelemetryOptions } from "./telemetry.ts";

/** Spans on their way to a collector; `close` sends what is left. */
export interface Traces {
  readonly requests: RequestObserver;
  span(trace: Trace, span: Span): void;
  close(): Promise<void>;
}

const exportMs = 5_000;

/**
 * Sends spans to a collector, in batches. The ids are those that the request already has: spans are made when the
 * work is over, so a request costs nothing for its trace while it runs.
 * @throws TypeError when the headers are none
 */
export function exportTraces({
  service,
  tracesEndpoint,
  tracesHeaders = "",
}: TelemetryOptions & { readonly tracesEndpoint: string }): Traces {
  const url = `${tracesEndpoint.replace(/\/+$/, "")}/v1/traces`;
  const headers = exportHeaders(tracesHeaders);
  if (headers === undefined) throw new TypeError("tracesHeaders must be name=value,name=value, percent-encoded.");
  const exporter = new OTLPTraceExporter({ url, headers, timeoutMillis: exportMs });
  const randomHex = createRandomHex();
  let next: { readonly traceId: string; readonly spanId: string } | undefined;
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ "service.name": service }),
    spanProcessors: [new BatchSpanProcessor({ exporter, exportTimeoutMillis: exportMs })],
    idGenerator: {
      generateTraceId: () => next?.traceId ?? randomHex(16),
      generateSpanId: () => next?.spanId ?? randomHex(8),
    },
  });
  const tracer = provider.getTracer(service);
  const write = (parent: Context, kind: SpanKind, span: Span, attributes: Attributes): void => {
    const made = tracer.startSpan(span.name, { kind, startTime: span.startedAt, attributes }, parent);
    if (span.failed === true) made.setStatus({ code: SpanStatusCode.ERROR });
    made.end(span.endedAt);
  };
  return {
    requests: {
      begin() {},
      end(line, trace, startedAt) {
        if (!trace.sampled) return;
        const { route, status, outcome, ms } = line;
        const [method = "", path = ""] = route.split(" ", 2);
        next = trace;
        write(
          parentOf(trace),
          SpanKind.SERVER,
          { name: route, startedAt, endedAt: startedAt + ms, failed: status >= 500 },
          {
            "http.request.method": method,
            "http.route": path,
            "http.response.status_code": status,
            outcome,
            request_id: line.request_id,
          },
        );
        next = undefined;
      },
    },
    span(trace, span) {
      if (trace.sampled) write(under(trace, trace.spanId), SpanKind.CLIENT, span, masked(span.attributes));
    },
    async close() {
      // A collector that is away must not keep a service from ending: its spans are lost.
      await provider.shutdown().catch(() => {});
    },
  };
}

function parentOf(trace: Trace): Context {
  return trace.parentSpanId === undefined ? ROOT_CONTEXT : under(trace, trace.parentSpanId);
}

function under({ traceId }: Trace, spanId: string): Context {
  return traceApi.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: 1, isRemote: true });
}

function masked(attributes: Labels = {}): Attributes {
  const entries = Object.entries(attributes);
  return Object.fromEntries(entries.map(([name, value]) => [name, typeof value === "string" ? mask(value) : value]));
}
