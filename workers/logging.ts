// The one logger of a process: JSON lines that carry the trace they belong to.
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/**
 * Logs ids, codes, amounts and times only. The paths below are a net for what should not be
 * handed over at all.
 */
const NEVER_LOGGED = [
  'authorization',
  'cookie',
  'password',
  'token',
  'email',
  'phone',
  'name',
  'licence',
  'birthDate',
  'address',
];

/** A logger named after the process; `LOG_LEVEL` (default `info`) decides what it writes. */
export function createLogger(service: string, destination?: DestinationStream): Log {
  const options = {
    level: process.env['LOG_LEVEL'] ?? 'info',
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: {
      paths: NEVER_LOGGED.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: '[not logged]',
    },
    mixin: traceIds,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function traceIds(): { readonly traceId?: string; readonly spanId?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return {};
  return { traceId: span.traceId, spanId: span.spanId };
}
