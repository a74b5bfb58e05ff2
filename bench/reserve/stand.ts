// The two sides that are compared, each a server and a worker process, on one Temporal namespace.
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { setUpTemporal } from '../../temporal-config/setup.ts';
import type { BenchContext } from '../figure.ts';
import { CLASSES, type Company, pools } from '../support/company.ts';
import { type Ask, openHttpClient } from '../support/http.ts';
import { type BenchProcess, freePort, startProcess } from '../support/process.ts';
import { benchToken } from '../support/token.ts';

export type Side = { readonly name: 'product' | 'floor'; readonly ask: Ask };

export type Stand = {
  readonly product: Side & { readonly api: BenchProcess; readonly worker: BenchProcess };
  readonly floor: Side;
  readonly close: () => Promise<void>;
};

/** Everything that was started is stopped again when something fails to start. */
export async function openStand(
  ctx: BenchContext,
  company: Company,
  customers: readonly string[],
): Promise<Stand> {
  const closers: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const one of closers.toReversed()) await one();
  };
  try {
    const namespace = `forecourt-bench-${randomBytes(4).toString('hex')}`;
    closers.push(() => deleteNamespace(ctx.temporalAddress, namespace));
    await setUpTemporal(ctx.temporalAddress, namespace);
    const environment = {
      DATABASE_URL: ctx.databaseUrl,
      TEMPORAL_ADDRESS: ctx.temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
      KAFKA_BROKERS: ctx.kafkaBrokers,
      REDIS_URL: ctx.redisUrl,
    };
    const start = async (name: string, file: string) => {
      const [port, internalPort] = [await freePort(), await freePort()];
      const readyPort = name.endsWith('worker') ? internalPort : port;
      const process = await startProcess({
        name,
        file,
        env: { ...environment, PORT: String(port), INTERNAL_PORT: String(internalPort) },
        readyUrl: `http://127.0.0.1:${readyPort}/health/ready`,
      });
      closers.push(process.stop);
      return { process, port };
    };
    const worker = await start('worker', '../workers/main.ts');
    const api = await start('api', '../api/server.ts');
    await start('floor-worker', 'reserve/floor-worker.ts');
    const floorServer = await start('floor-server', 'reserve/floor-server.ts');
    const authorization = `Bearer ${await benchToken(ctx, api.port)}`;
    const productHttp = openHttpClient(api.port);
    const floorHttp = openHttpClient(floorServer.port);
    closers.push(async () => [productHttp, floorHttp].map((http) => http.close()));
    return {
      product: {
        name: 'product',
        api: api.process,
        worker: worker.process,
        ask: () =>
          productHttp.post('/api/v1/rentals', randomRequest(company, customers), {
            'idempotency-key': randomUUID(),
            authorization,
          }),
      },
      floor: { name: 'floor', ask: () => floorHttp.post('/', {}) },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const HOUR_MS = 3_600_000;

/** One to three days some time in the next three months, so that no class is ever sold out. */
function randomRequest(company: Company, customers: readonly string[]) {
  const all = pools(company);
  const pool = all[randomInt(all.length)] ?? { branchId: 'B01', classId: CLASSES[0] };
  const pickUp = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS + randomInt(24, 90 * 24) * HOUR_MS;
  return {
    ...pool,
    customerId: customers[randomInt(customers.length)],
    pickUpAt: new Date(pickUp).toISOString(),
    dueAt: new Date(pickUp + randomInt(24, 72) * HOUR_MS).toISOString(),
  };
}

/** The server empties it in its own time; a server that was made for the bench need not. */
async function deleteNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    await connection.operatorService.deleteNamespace({ namespace });
  } finally {
    await connection.close();
  }
}
