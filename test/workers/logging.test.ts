// Log lines: which trace they belong to, and what never gets into them.
import { context, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, expect, test } from 'vitest';
import { createLogger } from '../../workers/logging.ts';
import { startTelemetry, type Telemetry } from '../../workers/telemetry.ts';

let telemetry: Telemetry | undefined;
afterEach(() => telemetry?.shutdown());

function logged(write: (log: ReturnType<typeof createLogger>) => void): Record<string, unknown> {
  const lines: string[] = [];
  write(createLogger('test', { write: (line: string) => void lines.push(line) }));
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? '') as Record<string, unknown>;
}

test('a line inside a span carries its trace, also after an await', async () => {
  const spans = new InMemorySpanExporter();
  telemetry = startTelemetry('test', new SimpleSpanProcessor(spans));
  const span = trace.getTracer('test').startSpan('work');
  await context.with(trace.setSpan(context.active(), span), async () => {
    await Promise.resolve();
    const line = logged((log) => log.info('hello'));
    expect(line).toMatchObject({ level: 'info', service: 'test', ...idsOf(span.spanContext()) });
  });
  span.end();
  expect(spans.getFinishedSpans().map(({ name }) => name)).toEqual(['work']);
});

test('a line outside any span carries none', () => {
  expect(logged((log) => log.info('hello'))).not.toHaveProperty('traceId');
});

test('secrets and personal data are left out, wherever they lie', () => {
  const person = { name: 'planted', email: 'planted', phone: 'planted', licence: 'planted' };
  const line = logged((log) =>
    log.info({ ...person, customer: person, body: { customer: person }, token: 'planted' }, 'x'),
  );
  expect(JSON.stringify(line)).not.toContain('planted');
});

test('an error keeps its message and stack, and loses what hangs on it', () => {
  const error = Object.assign(new Error('kept'), { email: 'planted', of: { name: 'planted' } });
  const line = logged((log) =>
    log.error({ err: error, other: error, list: [{ token: 'planted' }] }, 'x'),
  );
  expect(JSON.stringify(line)).not.toContain('planted');
  expect(line['err']).toMatchObject({ type: 'Error', message: 'kept', stack: expect.any(String) });
  expect(logged((log) => log.error(error))).toMatchObject({ msg: 'kept' });
});

test('an error of the database, or of whatever it caused, repeats nothing of a row', () => {
  const row = 'Key (email)=(planted@example.org) already exists.';
  const refused = Object.assign(new Error('duplicate key value'), {
    ...{ code: '23505', constraint: 'one_email', severity: 'ERROR' },
    ...{ detail: row, where: row, hint: row, query: row, parameters: [row] },
  });
  const wrapped = new Error('kept', { cause: new Error('between', { cause: refused }) });
  const told = { type: 'Error', message: 'duplicate key value', stack: expect.any(String) };
  const named = { ...told, code: '23505', constraint: 'one_email' };
  const line = logged((log) => log.error({ err: refused, deep: { of: refused } }, 'x'));
  expect(line).toMatchObject({ err: named, deep: { of: named } });
  const outer = logged((log) => log.error(wrapped));
  expect(outer).toMatchObject({ err: { message: 'kept', cause: { cause: named } } });
  expect(JSON.stringify([line, outer])).not.toContain('planted');
});

function idsOf({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }) {
  return { traceId, spanId };
}
