// Takes a request's body as the bytes of a file: by media type, and only up to a size.
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';

type Limits = {
  readonly maxBytes: number;
  /** What the caller may call it; what it is, the route finds out. */
  readonly mediaTypes: readonly string[];
};

/** In front of a route's work: the bytes are then `bodyBytes`, which idempotency compares too. */
export function fileBody({ maxBytes, mediaTypes }: Limits): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const [mediaType = ''] = (c.req.header('content-type') ?? '').toLowerCase().split(';');
    if (!mediaTypes.includes(mediaType.trim())) {
      throw new ProblemError('unsupported-media-type', `Send ${mediaTypes.join(' or ')}.`, {
        headers: { accept: mediaTypes.join(', ') },
      });
    }
    c.set('bodyBytes', await bytesOf(c.req.raw, Number(c.req.header('content-length')), maxBytes));
    await next();
  };
}

/** A length that was declared is kept by the HTTP parser; without one, the bytes are counted. */
async function bytesOf(request: Request, declared: number, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = new ProblemError('payload-too-large', `A file has at most ${maxBytes} bytes.`);
  if (declared > maxBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw tooLarge;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
