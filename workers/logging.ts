// The one logger of a process: JSON lines that carry the trace they belong to.
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/**
 * Logs ids, codes, amounts and times only. The keys below are a net for what should not be handed
 * over at all, as deep as people nest things.
 */
const NEVER_LOGGED: ReadonlySet<string> = new Set([
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
]);
const LEVELS = 3;

/** A logger named after the process; `LOG_LEVEL` (default `info`) decides what it writes. */
export function createLogger(service: string, destination?: DestinationStream): Log {
  const options = {
    level: process.env['LOG_LEVEL'] ?? 'info',
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (fields: Fields) => withoutSecrets(fields, LEVELS),
    },
    // Errors are shown by then.
    serializers: { err: (shown: unknown) => shown },
    mixin: traceIds,
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

type Fields = Record<string, unknown>;

/** Copies what it must change only: pino's own redaction was a third of what a request allocates. */
function withoutSecrets(fields: Fields, levels: number): Fields {
  let shown = fields;
  for (const [key, value] of Object.entries(fields)) {
    const allowed = NEVER_LOGGED.has(key) ? '[not logged]' : within(value, levels - 1);
    if (allowed === value) continue;
    if (shown === fields) shown = Array.isArray(fields) ? Object.assign([], fields) : { ...fields };
    shown[key] = allowed;
  }
  return shown;
}

function within(value: unknown, levels: number): unknown {
  if (value instanceof Error) return shownError(value, LEVELS);
  const isLeaf = levels === 0 || typeof value !== 'object' || value === null;
  return isLeaf ? value : withoutSecrets(value as Fields, levels);
}

/** The kind of fault, the constraint of a database, and what a mail server answered. */
const NAMES_THE_FAULT: ReadonlySet<string> = new Set(['code', 'constraint', 'responseCode']);

/**
 * Of an error only what names the fault: PostgreSQL's `detail` and `where` repeat rows, and others
 * hang whole requests on theirs.
 */
function shownError(error: Error, levels: number): Fields {
  const { name, message, stack, cause } = error;
  const named = Object.entries(error).filter(([key]) => NAMES_THE_FAULT.has(key));
  return {
    type: error.constructor.name || name,
    message,
    stack,
    ...Object.fromEntries(named),
    ...(cause instanceof Error && levels > 1 && { cause: shownError(cause, levels - 1) }),
  };
}

function traceIds(): { readonly traceId?: string; readonly spanId?: string } {
  const span = trace.getActiveSpan()?.spanContext();
  if (span === undefined || !isSpanContextValid(span)) return {};
  return { traceId: span.traceId, spanId: span.spanId };
}
