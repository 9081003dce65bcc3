import type { AccessLine } from "../access-line.ts";
import type { Logger } from "../log.ts";
import type { Trace } from "../trace.ts";

/** Few and bounded: each combination is a series of its own, kept as long as the process lives. */
export type Labels = Readonly<Record<string, string | number | boolean>>;

/** A piece of work inside a request: an exchange, a call upstream. */
export interface Span {
  readonly name: string;
  /** Milliseconds since the epoch, as is `endedAt`. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failed?: boolean;
  /** Never a token; strings are masked nevertheless. */
  readonly attributes?: Labels;
}

/** What `requestContext` tells of each request. */
export interface RequestObserver {
  begin(): void;
  /** @param startedAt milliseconds since the epoch */
  end(line: AccessLine, trace: Trace, startedAt: number): void;
}

/** What a meter counts. */
export interface CounterOptions {
  /** In words, for whoever reads the metrics. */
  readonly description: string;
  /** By UCUM, for example `s`, `By`, `{token}`. */
  readonly unit?: string;
}

/** What a meter measures, and in which steps. */
export interface HistogramOptions extends CounterOptions {
  /** Upper bounds; those of a duration in seconds when absent. */
  readonly buckets?: readonly number[];
}

/**
 * A service's own measurements. Names are dotted, as OpenTelemetry has them (`exchange.duration` becomes
 * `exchange_duration_seconds`). Labels must be few and bounded: a route, a model, an outcome; never a person.
 */
export interface Meters {
  counter(name: string, options: CounterOptions): (value: number, labels?: Labels) => void;
  histogram(name: string, options: HistogramOptions): (value: number, labels?: Labels) => void;
  /** Read when the metrics are asked for. */
  gauge(name: string, options: CounterOptions, read: () => number): void;
}

/** A service's metrics and spans; without a metrics port or a collector the calls cost nothing and do nothing. */
export interface Telemetry extends Meters {
  /** For `requestContext`; undefined when nobody is listening. */
  readonly requests: RequestObserver | undefined;
  span(trace: Trace, span: Span): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

/** Who is measured, and who listens. */
export interface TelemetryOptions {
  readonly service: string;
  readonly log: Logger;
  /** Where the metrics port is bound: the service's own `HOST`. */
  readonly host: string;
  /** `METRICS_PORT`: Prometheus text at `GET /metrics`; absent: none are kept. */
  readonly metricsPort?: number | undefined;
  /** `OTEL_EXPORTER_OTLP_ENDPOINT`: a collector's base URL; absent: no spans are made. */
  readonly tracesEndpoint?: string | undefined;
  /** `OTEL_EXPORTER_OTLP_HEADERS`: `name=value,name=value`, values percent-encoded. */
  readonly tracesHeaders?: string | undefined;
}

/**
 * Metrics and traces, each only when it is asked for: otherwise none of the libraries is loaded, and every call here
 * does nothing.
 * @throws ConfigError when the metrics port is taken
 */
export async function createTelemetry(options: TelemetryOptions): Promise<Telemetry> {
  const { metricsPort, tracesEndpoint } = options;
  const metrics =
    metricsPort === undefined
      ? undefined
      : await (await import("./metrics.ts")).serveMetrics({ ...options, metricsPort });
  const traces =
    tracesEndpoint === undefined
      ? undefined
      : (await import("./traces.ts")).exportTraces({ ...options, tracesEndpoint });
  const observers = [metrics?.requests, traces?.requests].filter((observer) => observer !== undefined);
  return {
    counter: metrics?.counter ?? (() => () => {}),
    histogram: metrics?.histogram ?? (() => () => {}),
    gauge: metrics?.gauge ?? (() => {}),
    requests: observers.length === 0 ? undefined : together(observers),
    span: traces?.span ?? (() => {}),
    async close() {
      await Promise.all([metrics?.close(), traces?.close()]);
    },
  };
}

function together(observers: readonly RequestObserver[]): RequestObserver {
  return {
    begin() {
      for (const observer of observers) observer.begin();
    },
    end(line, trace, startedAt) {
      for (const observer of observers) observer.end(line, trace, startedAt);
    },
  };
}
