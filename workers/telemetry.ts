// Tracing of a process: where spans come from, how they travel, and where they are sent, if at all.
import { type Context, context, propagation, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { Resource } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Span,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { AlwaysOnSampler, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';

export type Telemetry = {
  readonly resource: Resource;
  /** Takes the spans that workflows hand out of their sandbox; the worker needs it. */
  readonly spanProcessor: SpanProcessor;
  /** Whether somebody collects the spans; else those made for every small thing can be spared. */
  readonly collected: boolean;
  /** Sends what is left. Never rejects: a lost span must not fail a stop. */
  readonly shutdown: () => Promise<void>;
};

/**
 * Starts tracing for `service` (`api`, `worker`, `relay` …). Spans are made and their context
 * travels in any case, so that logs and events carry trace ids; they leave the process only when
 * OTEL_EXPORTER_OTLP_ENDPOINT is set, or for a `spanProcessor` handed in.
 */
export function startTelemetry(service: string, spanProcessor = exporting()): Telemetry {
  const resource = new Resource({ 'service.name': `forecourt-${service}` });
  const processor = spanProcessor ?? new Discard();
  const provider = new NodeTracerProvider({ resource, sampler: sampler() });
  provider.addSpanProcessor(processor);
  // register() installs an AsyncLocalStorage context manager too.
  provider.register({ propagator: new W3CTraceContextPropagator() });
  return {
    resource,
    spanProcessor: processor,
    collected: spanProcessor !== undefined,
    shutdown: async () => {
      await provider.shutdown().catch(() => undefined);
      trace.disable();
      context.disable();
      propagation.disable();
    },
  };
}

function exporting(): SpanProcessor | undefined {
  // The exporter reads the address and its headers from the environment by itself.
  return process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] === undefined
    ? undefined
    : new BatchSpanProcessor(new OTLPTraceExporter());
}

/** `OTEL_TRACES_SAMPLER=always_off` keeps contexts travelling, but records nothing. */
function sampler(): ParentBasedSampler {
  const off = process.env['OTEL_TRACES_SAMPLER'] === 'always_off';
  return new ParentBasedSampler({ root: off ? new AlwaysOffSampler() : new AlwaysOnSampler() });
}

/** Where nobody collects spans. */
class Discard implements SpanProcessor {
  onStart(_span: Span, _parent: Context): void {}
  onEnd(_span: ReadableSpan): void {}
  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}
