// The key agreement of an encrypted session as it is sent, and the envelope of its messages.
import { z } from '@hono/zod-openapi';
import { Id, UtcInstant } from './common.ts';

const Point = z
  .base64url()
  .max(200)
  .openapi({ description: 'An uncompressed point of P-256 (65 bytes) in base64url, unpadded' });

export const NewSessionKey = z
  .strictObject({ publicKey: Point })
  .openapi('NewSessionKey', { description: 'A pair of keys that is made for this session alone' });

export const SessionKey = z
  .object({
    id: Id,
    publicKey: Point,
    expiresAt: UtcInstant,
    algorithm: z.literal('ECDH-P256+HKDF-SHA256+A256GCM'),
  })
  .openapi('SessionKey', {
    description:
      'Two keys of 32 bytes by HKDF-SHA256: input is the shared x, salt both points (yours first), ' +
      'info `forecourt session v1 request <id>` for what you send and `… answer <id>` for what you ' +
      'get. A message is IV (12 bytes), ciphertext and tag of AES-256-GCM, with `<METHOD> <path> ' +
      '<sequence> <id>` as additional data; the path is without query. It travels in base64url: as ' +
      '`{"sealed": …}` in bodies, and where there is none, as the sealed empty text in X-Sealed.',
  });

/** For the document; encrypted.ts reads and refuses them. */
export const SealedHeaders = z.object({
  'x-session-key': z
    .string()
    .optional()
    .openapi({ param: { required: true }, description: 'The id of the session' }),
  'x-sequence': z
    .string()
    .optional()
    .openapi({
      param: { required: true },
      description: 'Rises with each message of the session; 1 and up',
      example: '1',
    }),
  'x-sealed': z
    .string()
    .optional()
    .openapi({ description: 'The sealed empty text, for requests without a body' }),
});
