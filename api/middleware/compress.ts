// Sends large answers smaller, where the caller says that it can read them.
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';

/** Below it the time is worth more than the bytes. */
const MIN_BYTES = 4_096;
const TEXT = /^(application\/(problem\+)?json|text\/)/;
/** The lowest: a tenth larger than the usual level at a third of its time. */
const LEVEL = 1;
/** 256 KiB back is where repetitions are found; the usual 4 MiB are mostly memory to be cleared. */
const BROTLI = {
  [constants.BROTLI_PARAM_QUALITY]: LEVEL,
  [constants.BROTLI_PARAM_LGWIN]: 18,
};
/** In one go: by the usual 16 KiB a large answer waits for the thread pool again and again. */
const room = (bytes: Uint8Array) => Math.ceil(bytes.length / 2);

const smaller = {
  br: (bytes: Uint8Array) =>
    promisify(brotliCompress)(bytes, { params: BROTLI, chunkSize: room(bytes) }),
  gzip: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: LEVEL, chunkSize: room(bytes) }),
} as const;
type Encoding = keyof typeof smaller;

/** An answer with a strong ETag stays as it is: the tag names these bytes (RFC 9110 section 8.8.1). */
export const compress: MiddlewareHandler<ApiEnv> = async (c, next) => {
  await next();
  const { headers, status } = c.res;
  if (headers.get('etag')?.startsWith('"') || headers.has('content-encoding')) return;
  if (c.req.method === 'HEAD' || !TEXT.test(headers.get('content-type') ?? '')) return;
  headers.append('vary', 'Accept-Encoding');
  const encoding = preferred(c.req.header('accept-encoding'));
  // The body last: looking at it makes a stream of an answer that was ready to be sent.
  if (encoding === undefined || c.res.body === null) return;
  const plain = await whole(c.res.body);
  const isSmall = plain.length < MIN_BYTES;
  const sent = isSmall ? plain : new Uint8Array(await smaller[encoding](plain));
  c.res = new Response(sent, { status, headers });
  if (!isSmall) c.res.headers.set('content-encoding', encoding);
};

/** Most answers come in one piece, which is then not copied. */
async function whole(body: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  const [only] = pieces;
  return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
}

/** Brotli before gzip, unless the caller weighs them otherwise (RFC 9110 section 12.5.3). */
function preferred(accepted: string | undefined): Encoding | undefined {
  const weights = new Map(
    (accepted ?? '').split(',').map((part) => {
      const [name = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
      const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1';
      return [name, Number(weight)] as const;
    }),
  );
  const weightOf = (encoding: Encoding) => weights.get(encoding) ?? weights.get('*') ?? 0;
  const [best] = (['br', 'gzip'] as const).toSorted((a, b) => weightOf(b) - weightOf(a));
  return best !== undefined && weightOf(best) > 0 ? best : undefined;
}
