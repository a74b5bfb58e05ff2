// A customer's driving licence as it is sent and shown; only ever inside an encrypted session.
import { z } from '@hono/zod-openapi';
import { text } from './common.ts';

export const Licence = z
  .strictObject({
    number: text(40).openapi({ example: 'D1234567' }),
    birthDate: z.iso.date().openapi({ example: '1990-05-03' }),
  })
  .openapi('Licence');
