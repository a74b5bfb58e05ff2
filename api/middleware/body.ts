// Reads a JSON body strictly: size, media type, encoding, depth and the texts that SQL cannot hold.
import type { Context, MiddlewareHandler } from 'hono';
import type { ApiEnv } from '../deps.ts';
import { ProblemError } from '../problems.ts';

const MAX_BODY_BYTES = 1_048_576;
/** Deeper than any request of ours, far less than what exhausts a stack. */
const MAX_DEPTH = 32;

const JSON_MEDIA_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
// The BOM stays in the text, where JSON.parse refuses it as RFC 8259 allows.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * For routes with a body, in front of their validators. It parses once: validators get the parsed
 * value, the idempotency store gets the bytes. An empty body is not `{}`.
 */
export const jsonBody: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (!JSON_MEDIA_TYPE.test(c.req.header('content-type') ?? '')) {
    throw new ProblemError('unsupported-media-type', 'Send application/json in UTF-8.', {
      headers: { accept: 'application/json' },
    });
  }
  takeJson(c, await readBody(c.req.raw, c.req.header('content-length')));
  await next();
};

/** Makes `bytes` the request's body, for those who come after; as strict as with any other. */
export function takeJson(c: Context<ApiEnv>, bytes: Uint8Array): void {
  refuseDeep(bytes);
  const value = parse(bytes);
  refuseUnstorable(value, []);
  c.set('bodyBytes', bytes);
  c.req.json = <T>() => Promise.resolve(value as T);
}

async function readBody(request: Request, declared: string | undefined): Promise<Uint8Array> {
  if (declared !== undefined) {
    // The HTTP parser never delivers more than was declared.
    if (Number(declared) > MAX_BODY_BYTES) throw tooLarge();
    return new Uint8Array(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(): ProblemError {
  return new ProblemError('payload-too-large', `A body has at most ${MAX_BODY_BYTES} bytes.`);
}

/**
 * Before the parser sees it: a megabyte of brackets costs it a third of a second, in which nobody
 * else is served. In UTF-8 the bytes of these characters occur for themselves only.
 */
function refuseDeep(bytes: Uint8Array): void {
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) depth += 1;
    else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth -= 1;
    if (depth > MAX_DEPTH) {
      throw new ProblemError('malformed-json', `The body nests deeper than ${MAX_DEPTH} levels.`);
    }
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    throw new ProblemError('malformed-json', 'The body must be one JSON value in UTF-8.');
  }
}

/** PostgreSQL's text cannot hold NUL, and UTF-8 no half of a surrogate pair. */
function refuseUnstorable(value: unknown, path: readonly string[]): void {
  if (typeof value === 'string') {
    if (value.includes('\u0000') || !value.isWellFormed()) {
      throw invalid(path, 'must not hold NUL or half a surrogate pair');
    }
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key.includes('\u0000') || !key.isWellFormed()) {
      throw invalid(path, 'has a key with NUL or half a surrogate pair');
    }
    refuseUnstorable(member, [...path, key]);
  }
}

function invalid(path: readonly string[], message: string): ProblemError {
  return new ProblemError('validation-failed', 'The body has 1 fault(s).', {
    more: { errors: [{ path: path.join('.'), message }] },
  });
}
