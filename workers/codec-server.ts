// Lets the Web UI show payloads in clear text to those who may: decodes and encodes them.
import { serve } from '@hono/node-server';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import { createPayloadCodec, parsePayloadKeys } from '../temporal-config/payload-codec.ts';
import { createLogger } from './logging.ts';

/** A page of history; the UI asks page by page. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** `POST /encode` and `/decode` as Temporal's Web UI and CLI call them; CORS for one origin. */
export function createCodecApp(codec: PayloadCodec, uiOrigin: string): Hono {
  const app = new Hono();
  app.use(
    cors({
      origin: uiOrigin,
      allowMethods: ['POST'],
      allowHeaders: ['x-namespace', 'content-type', 'authorization'],
    }),
  );
  app.use(bodyLimit({ maxSize: MAX_BODY_BYTES }));
  app.get('/health/ready', (c) => c.json({ status: 'up' }));
  app.post('/encode', async (c) => c.json(await converted(codec.encode, await c.req.json())));
  app.post('/decode', async (c) => c.json(await converted(codec.decode, await c.req.json())));
  // A payload that does not open is the caller's news; the reason holds no key and no content.
  app.onError((error, c) => c.json({ message: error.message }, 400));
  return app;
}

async function converted(
  convert: (payloads: Payload[]) => Promise<Payload[]>,
  body: unknown,
): Promise<unknown> {
  const { payloads } = proto.temporal.api.common.v1.Payloads.fromObject(body as object);
  const result = proto.temporal.api.common.v1.Payloads.create({
    payloads: await convert(payloads),
  });
  return proto.temporal.api.common.v1.Payloads.toObject(result, { bytes: String });
}

if (import.meta.main) {
  const log = createLogger('codec-server');
  const codec = createPayloadCodec(parsePayloadKeys(process.env['PAYLOAD_KEYS']));
  const origin = process.env['CODEC_UI_ORIGIN'] ?? 'http://localhost:8233';
  const port = Number(process.env['CODEC_PORT'] ?? 8234);
  // Loopback only, until sign-in can protect it.
  const server = serve({ fetch: createCodecApp(codec, origin).fetch, port, hostname: '127.0.0.1' });
  log.info({ port, origin }, 'The codec server is up.');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => server.close());
}
