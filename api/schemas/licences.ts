// A customer's driving licence as it is sent and shown; only ever inside an encrypted session.
import { z } from '@hono/zod-openapi';
import { text } from './common.ts';
import { PossibleDuplicates } from './customers.ts';

export const Licence = z
  .strictObject({
    number: text(40).openapi({ example: 'D1234567' }),
    birthDate: z.iso.date().openapi({ example: '1990-05-03' }),
    classes: z
      .array(z.string().regex(/^[A-Z0-9]{1,4}$/))
      .min(1)
      .max(20)
      .readonly()
      .optional()
      .openapi({ description: 'As printed', example: ['B'] }),
    issuedOn: z.iso.date().optional(),
    validUntil: z.iso.date().optional(),
    recheckOn: z.iso.date().optional().openapi({
      description: 'When somebody has to look at it again; see GET /licences/due',
    }),
  })
  .openapi('Licence');

export const KeptLicence = Licence.extend({ possibleDuplicates: PossibleDuplicates }).openapi(
  'KeptLicence',
);
