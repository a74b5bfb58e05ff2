// What every caller and every operator can rely on, whatever the route.

import { connect } from 'node:net';
import { trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { sql } from 'kysely';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../../api/app.ts';
import { createHealth } from '../../api/health.ts';
import { listen } from '../../api/listen.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { someoneWaits } from '../support/waiting.ts';

const spans = new InMemorySpanExporter();
let api: TestApi;
beforeAll(async () => {
  const provider = new NodeTracerProvider();
  provider.addSpanProcessor(new SimpleSpanProcessor(spans));
  provider.register({ propagator: new W3CTraceContextPropagator() });
  afterAll(async () => {
    await provider.shutdown();
    trace.disable();
  });
  api = await testApi();
});

/** They store nothing, nothing that a repeat could double, or answer a secret that is not kept. */
const REPEATABLE = new Set(
  [
    'quotes',
    'quotes/batch',
    'session-keys',
    'partners/{id}/clients',
    'customers/{id}/eligibility',
  ].map((path) => `/api/v1/${path}`),
);

describe('the description', () => {
  test('is OpenAPI 3.1 and names every route, with the headers that it needs', async () => {
    const { status, body } = await api.call('GET', '/openapi.json');
    expect([status, body.openapi]).toEqual([200, '3.1.0']);
    const offered = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path}`),
    );
    expect(offered).toContain('post /api/v1/rentals/{id}/check-in');
    for (const [path, methods] of Object.entries<Record<string, { parameters?: object[] }>>(
      body.paths,
    )) {
      if (REPEATABLE.has(path)) continue;
      const needsKey = methods['post'] !== undefined;
      const parameters = (methods['post'] ?? methods['patch'])?.parameters ?? [];
      const name = methods['post'] === undefined ? 'if-match' : 'idempotency-key';
      if (needsKey || methods['patch']) {
        expect([path, parameters]).toEqual([
          path,
          expect.arrayContaining([expect.objectContaining({ name, in: 'header', required: true })]),
        ]);
      }
    }
  });

  test('refuses unknown fields in the document as in practice', async () => {
    const { schemas } = (await api.call('GET', '/openapi.json')).body.components;
    for (const name of ['NewRental', 'NewCustomer', 'NewVehicle', 'CheckIn', 'NewQuote']) {
      expect([name, schemas[name].additionalProperties]).toEqual([name, false]);
    }
  });

  test('can be browsed, with scripts and styles from this server alone', async () => {
    const page = await api.call('GET', '/docs');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).toMatch(/^\/docs\//);
      const answer = await api.call('GET', file);
      expect([file, answer.status, answer.text.length > 50]).toEqual([file, 200, true]);
    }
  });

  test('takes sign-ins back on a page that nobody keeps, as strict as the others', async () => {
    const policy = (await api.call('GET', '/docs')).headers.get('content-security-policy');
    const back = await api.call('GET', '/docs/oauth2-redirect.html?code=x&state=y');
    expect([back.status, back.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(back.headers.get('content-security-policy')).toBe(policy);
    expect(policy).not.toMatch(/script-src[^;]*(unsafe|http|\*)/);
    const script = /src="([^"]+)"/.exec(back.text)?.[1] ?? '';
    expect((await api.call('GET', script)).status).toBe(200);
  });
});

describe('every answer', () => {
  test('has an id and forbids what no API answer needs', async () => {
    const answers = [
      await api.call('GET', '/api/v1/branches'),
      await api.call('GET', '/nothing'),
      await api.call('POST', '/api/v1/customers', { body: '{' }),
    ];
    for (const { headers } of answers) {
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  test('continues the trace of its caller, down to the event that it causes', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const made = await api.call('POST', '/api/v1/customers', {
      body: { name: 'Traced' },
      headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` },
    });
    expect(made.status).toBe(201);
    const names = spans
      .getFinishedSpans()
      .filter((span) => span.spanContext().traceId === traceId)
      .map((span) => span.name);
    expect(names).toContain('POST /api/v1/customers');
    expect(names).toContain('transact rentals_rw');
    const { rows } = await sql<{ event: string }>`select event from events.outbox
      where aggregate_id = ${made.body.id}`.execute(api.database.owner);
    expect(JSON.parse(rows[0]?.event ?? '{}').traceparent).toContain(traceId);
  });

  test('leaves one line in the log: the route, never what was asked in it', async () => {
    const answer = await api.call('GET', '/api/v1/customers?q=Planted');
    const id = answer.headers.get('x-request-id') ?? '';
    const lines = api.logLines.filter((line) => line.includes(id));
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      requestId: id,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      route: '/api/v1/customers',
      method: 'GET',
      status: 200,
      durationMs: expect.any(Number),
    });
    expect(lines[0]).not.toContain('Planted');
    expect(lines[0]?.trimEnd()).not.toContain('\n');
  });

  test('is measured by pattern; addresses that nobody offers share one name', async () => {
    await api.call('GET', '/api/v1/rentals/01980a5d-ac96-774b-bcce-b302099a8057');
    await api.call('GET', '/wp-admin/1');
    await api.call('GET', '/wp-admin/2');
    const text = await api.deps.metrics.metrics();
    expect(text).toContain('route="/api/v1/rentals/:id",method="GET",status="404"');
    expect(text).toContain('route="unmatched",method="GET",status="404"');
    expect(text).not.toContain('wp-admin');
    expect(text).not.toContain('01980a5d');
  });
});

describe('the socket', () => {
  test('is for this machine only unless told otherwise, and needs a token everywhere', async () => {
    const other = `http://127.0.0.2:${api.listening.port}/api/v1/branches`;
    await expect(fetch(other)).rejects.toThrow();
    const app = createApp({ ...api.deps, metrics: new Registry() });
    const wide = await listen(app, createHealth({}), { port: 0, host: '0.0.0.0' });
    const answer = await fetch(`http://127.0.0.2:${wide.port}/api/v1/branches`);
    expect(answer.status).toBe(401);
    await wide.close();
  });

  test('is closed on a caller whose head does not come within 10 s', async () => {
    const started = performance.now();
    const waited = await new Promise<number>((resolve) => {
      const socket = connect(api.listening.port, '127.0.0.1', () =>
        socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n'),
      );
      const drip = setInterval(() => socket.write('a'), 1_000);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        clearInterval(drip);
        resolve(performance.now() - started);
      });
      socket.resume();
    });
    expect(waited).toBeLessThan(11_000);
  });

  test('stops in order: not ready first, requests under way end, then nothing listens', async () => {
    const { database } = api;
    const stopping = await testApi({ database, noticeMs: 1_500 });
    const lock = await database.owner.startTransaction().execute();
    await sql`lock table rentals.customer in access exclusive mode`.execute(lock);
    const underWay = stopping.call('POST', '/api/v1/customers', { body: { name: 'Late' } });
    await someoneWaits(database.owner);
    const closed = stopping.listening.close();
    const ready = await stopping.call('GET', '/health/ready');
    expect([ready.status, ready.body.status]).toEqual([503, 'draining']);
    await expect.poll(() => isListening(stopping.listening.port)).toBe(false);
    await lock.commit().execute();
    const late = await underWay;
    expect([late.status, late.headers.get('connection')]).toEqual([201, 'close']);
    await closed;
    await expect(stopping.call('GET', '/health/live')).rejects.toThrow();
  });
});

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
