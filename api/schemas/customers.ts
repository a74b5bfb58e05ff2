// Customers as they are sent and shown: the one place of the API with personal data.
import { z } from '@hono/zod-openapi';
import type { CustomerRow } from '../../db/commands/customers.ts';
import type { ContactRow, DueLicence } from '../../db/queries/customers.ts';
import { CONTACT_FUNCTIONS, CUSTOMER_KINDS } from '../../domain/customer.ts';
import { Currency, Id, Minor, pageQuery, sortQuery, text, UtcInstant } from './common.ts';
import { changesSomething } from './vehicles.ts';

const details = {
  name: text(200),
  email: z.email().max(254).nullable(),
  phone: z
    .string()
    .regex(/^\+[0-9]{6,15}$/, 'must be international, e.g. +43123456789')
    .nullable(),
  language: z.string().regex(/^[a-z]{2}$/, 'must be a code of ISO 639-1'),
  taxId: text(30).nullable().openapi({ description: 'Of companies only', example: 'ATU12345678' }),
  payerId: Id.nullable().openapi({ description: 'Who is asked to pay first' }),
};

export const Customer = z
  .object({
    id: Id,
    kind: z.enum(CUSTOMER_KINDS),
    name: z.string(),
    email: z.string().nullable(),
    phone: z.string().nullable(),
    language: z.string(),
    taxId: z.string().nullable(),
    payerId: Id.nullable(),
    creditLimitMinor: Minor.nullable(),
    creditCurrency: Currency.nullable(),
    paymentTermsDays: z.int().nullable(),
    mergedInto: Id.nullable().openapi({ description: 'The record that stands for it now' }),
    sandbox: z.boolean(),
    version: z.int(),
  })
  .openapi('Customer');

export const PossibleDuplicates = z
  .array(
    z.object({
      id: Id,
      name: z.string(),
      by: z.array(z.enum(['licence', 'name-and-birth-date', 'email', 'phone', 'name'])).readonly(),
    }),
  )
  .readonly()
  .openapi('PossibleDuplicates', { description: 'The likeliest first; a person decides' });

const Sameness = z.enum(['licence', 'name-and-birth-date', 'email', 'phone', 'name']);

export const OpenDoubles = z
  .array(
    z.object({
      customerId: Id,
      name: z.string(),
      otherId: Id,
      otherName: z.string(),
      by: z.array(Sameness).readonly(),
      foundAt: UtcInstant,
    }),
  )
  .readonly()
  .openapi('OpenDoubles');

export const RegisteredCustomer = Customer.extend({
  possibleDuplicates: PossibleDuplicates,
}).openapi('RegisteredCustomer');

export const NewCustomer = z
  .strictObject({
    kind: z.enum(CUSTOMER_KINDS).optional(),
    sandbox: z.literal(true).optional().openapi({
      description: 'For ever: nobody of the sandbox rents or pays for a vehicle of the live fleet',
    }),
    ...details,
  })
  .partial({ email: true, phone: true, language: true, taxId: true, payerId: true })
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

export const Credit = z
  .strictObject({
    limitMinor: z.int().min(0).openapi({ description: 'Minor units of the currency' }),
    currency: z.string().regex(/^[A-Z]{3}$/),
    paymentTermsDays: z.int().min(0).max(180),
  })
  .openapi('Credit');

export const NewContact = z
  .strictObject({ function: z.enum(CONTACT_FUNCTIONS) })
  .openapi('NewContact');

export const Contacts = z
  .object({
    items: z
      .array(
        z.object({
          personId: Id,
          name: z.string(),
          email: z.string().nullable(),
          phone: z.string().nullable(),
          function: z.string().openapi({ enum: [...CONTACT_FUNCTIONS] }),
        }),
      )
      .readonly(),
  })
  .openapi('CompanyContacts');

export const NewMerge = z
  .strictObject({ duplicateId: Id.openapi({ description: 'It leads here from now on' }) })
  .openapi('NewMerge');

export const DueLicences = z
  .object({
    items: z
      .array(
        z.object({
          customerId: Id,
          recheckOn: z.string().openapi({ example: '2027-05-03' }),
          validUntil: z.string().nullable(),
        }),
      )
      .readonly(),
  })
  .openapi('DueLicences');

export function customerView(row: CustomerRow) {
  return {
    id: row.id,
    kind: row.kind as (typeof CUSTOMER_KINDS)[number],
    name: row.name,
    email: row.email,
    phone: row.phone,
    language: row.language,
    taxId: row.tax_id,
    payerId: row.payer_id,
    creditLimitMinor: row.credit_limit_minor,
    creditCurrency: row.credit_currency,
    paymentTermsDays: row.payment_terms_days,
    mergedInto: row.merged_into,
    sandbox: row.is_sandbox,
    version: row.version,
  };
}

export function contactView(row: ContactRow) {
  const { person_id: personId, name, email, phone, function: does } = row;
  return { personId, name, email, phone, function: does };
}

export function dueLicenceView(row: DueLicence) {
  return {
    customerId: row.id,
    recheckOn: row.licence_recheck_on,
    validUntil: row.licence_valid_until,
  };
}
