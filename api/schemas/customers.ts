// Customers as they are sent and shown: the one place of the API with personal data.
import { z } from '@hono/zod-openapi';
import type { CustomerRow } from '../../db/commands/customers.ts';
import { Id, pageQuery, sortQuery, text } from './common.ts';
import { changesSomething } from './vehicles.ts';

const details = {
  name: text(200),
  email: z.email().max(254).nullable(),
  phone: z
    .string()
    .regex(/^\+[0-9]{6,15}$/, 'must be international, e.g. +43123456789')
    .nullable(),
  language: z.string().regex(/^[a-z]{2}$/, 'must be a code of ISO 639-1'),
};

export const Customer = z
  .object({
    id: Id,
    name: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    language: z.string(),
    version: z.int(),
  })
  .openapi('Customer');

export const NewCustomer = z
  .strictObject(details)
  .partial({ email: true, phone: true, language: true })
  .openapi('NewCustomer');

export const CustomerChange = z
  .strictObject(details)
  .partial()
  .refine(changesSomething, { message: 'must change something' })
  .openapi('CustomerChange');

export const CustomerList = z.strictObject({
  ...pageQuery(Id),
  q: text(100).optional().openapi({ description: 'The beginning of the name, in any case' }),
  sort: sortQuery({ name: 'name' }),
});

export function customerView(row: CustomerRow) {
  return {
    id: row.id,
    name: row.name,
    email: row.email,
    phone: row.phone,
    language: row.language,
    version: row.version,
  };
}
