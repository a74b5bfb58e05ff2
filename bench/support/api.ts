// The product's API as a bench calls it: a process of its own, somebody who may ask, connections kept.
import { setUpTemporal } from '../../temporal-config/setup.ts';
import type { BenchContext } from '../figure.ts';
import { type HttpClient, openHttpClient } from './http.ts';
import { freePort, startProcess } from './process.ts';
import { benchToken } from './token.ts';

export type BenchApi = {
  readonly http: HttpClient;
  /** The header of an administrator. */
  readonly authorization: string;
  readonly close: () => Promise<void>;
};

export async function openBenchApi(ctx: BenchContext): Promise<BenchApi> {
  await setUpTemporal(ctx.temporalAddress);
  const [port, internalPort] = [await freePort(), await freePort()];
  const api = await startProcess({
    name: 'api',
    file: '../api/server.ts',
    readyUrl: `http://127.0.0.1:${port}/health/ready`,
    env: {
      DATABASE_URL: ctx.databaseUrl,
      TEMPORAL_ADDRESS: ctx.temporalAddress,
      KAFKA_BROKERS: ctx.kafkaBrokers,
      REDIS_URL: ctx.redisUrl,
      PORT: String(port),
      INTERNAL_PORT: String(internalPort),
    },
  });
  const http = openHttpClient(port);
  const close = async () => {
    http.close();
    await api.stop();
  };
  try {
    return { http, authorization: `Bearer ${await benchToken(ctx, port)}`, close };
  } catch (error) {
    await close();
    throw error;
  }
}
