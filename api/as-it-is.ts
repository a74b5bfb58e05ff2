// Answers that screens ask for again and again: who has the same one already is told so.
import { hash } from 'node:crypto';
import type { Context, TypedResponse } from 'hono';
import type { ApiEnv } from './deps.ts';

/** JSON that is in bytes already, a `T`, by its tag: 304 for who names the tag in If-None-Match. */
export function asItIs<T>(
  c: Context<ApiEnv>,
  json: Uint8Array<ArrayBuffer>,
): TypedResponse<T, 200, 'json'> {
  // Weak, because the answer may travel compressed (RFC 9110 section 8.8.1).
  const etag = `W/"${hash('sha1', json, 'base64url')}"`;
  const isKnown =
    c.req
      .header('if-none-match')
      ?.split(/\s*,\s*/)
      .includes(etag) === true;
  const response = isKnown
    ? c.body(null, 304, { etag })
    : c.body(inOnePiece(json), 200, { etag, 'content-type': 'application/json' });
  return response as unknown as TypedResponse<T, 200, 'json'>;
}

/** Handed on as it is, where a Response would copy it first. */
function inOnePiece(bytes: Uint8Array<ArrayBuffer>): ReadableStream {
  return new ReadableStream({
    start: (controller) => {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}
