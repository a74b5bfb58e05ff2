// Files that people send: what they are, made harmless before they are kept, and safe to send back.
import type { Context } from 'hono';
import { type DocumentMediaType, sniffedType } from '../domain/vehicle-document.ts';
import { ImageRefused, reencoded } from '../storage/images.ts';
import type { ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';

export type HarmlessFile = { readonly bytes: Uint8Array; readonly mediaType: DocumentMediaType };

/**
 * The body, whose content must be what its type says: images written anew, PDFs as they came.
 * Throws `unsupported-media-type` for what is disguised, broken or a bomb.
 */
export async function harmless(c: Context<ApiEnv>): Promise<HarmlessFile> {
  const bytes = c.get('bodyBytes');
  const [declared = ''] = (c.req.header('content-type') ?? '').toLowerCase().split(';');
  const mediaType = sniffedType(bytes);
  if (mediaType === null || mediaType !== declared.trim()) {
    throw refused(`The content is ${mediaType ?? 'of no type that is taken'}, not ${declared}.`);
  }
  if (mediaType === 'application/pdf') return { bytes, mediaType };
  try {
    return { bytes: await reencoded(bytes, mediaType), mediaType };
  } catch (error) {
    if (!(error instanceof ImageRefused)) throw error;
    throw refused('The image cannot be read: it is broken, or too large in pixels.');
  }
}

/** What a row says of a file in the object store. */
type KeptFile = {
  readonly id: string;
  readonly kind: string;
  readonly media_type: string;
  readonly sha256: string;
};

/** A PDF may hold scripts, so no browser shall open it in our name; images are our own bytes. */
export function contentHeaders(row: KeptFile): Readonly<Record<string, string>> {
  const isImage = row.media_type.startsWith('image/');
  const name = `${row.kind}-${row.id}.${row.media_type.split('/')[1]}`;
  return {
    'content-type': row.media_type,
    'content-disposition': `${isImage ? 'inline' : 'attachment'}; filename="${name}"`,
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
    etag: `"${row.sha256}"`,
  };
}

function refused(detail: string): ProblemError {
  return new ProblemError('unsupported-media-type', detail);
}
