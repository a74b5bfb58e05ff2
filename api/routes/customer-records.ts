// What belongs to a customer beside their details: credit, contacts, doubles of one person, due licences.
import { createRoute, z } from '@hono/zod-openapi';
import { setContact } from '../../db/commands/company-contacts.ts';
import { mergeCustomers } from '../../db/commands/customer-merge.ts';
import { setCredit } from '../../db/commands/customers.ts';
import { dismissDouble } from '../../db/commands/possible-duplicates.ts';
import { contactsOf, licencesDue, openDoubles } from '../../db/queries/customers.ts';
import { customerById } from '../../db/queries/rentals.ts';
import { checkCredit } from '../../domain/customer.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER, KNOWS_CUSTOMERS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { possibleDuplicates } from '../customer-duplicates.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  Contacts,
  Credit,
  Customer,
  contactView,
  customerView,
  DueLicences,
  dueLicenceView,
  NewContact,
  NewMerge,
  OpenDoubles,
  PossibleDuplicates,
} from '../schemas/customers.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Customers'];
const params = z.object({ id: Id });
const contactParams = params.extend({ personId: Id });
const READ = { scope: 'customers:read', roles: KNOWS_CUSTOMERS } as const;
const WRITE = { scope: 'customers:write', roles: COUNTER } as const;

const credit = createRoute({
  ...secured({ scope: 'customers:write', roles: ['branch-manager', ...BOOKS] }, jsonBody),
  method: 'put',
  path: '/customers/{id}/credit',
  tags,
  summary: 'Set credit limit and terms of payment, as far as one’s own limit goes',
  request: { params, headers: IfMatchHeader, body: jsonRequest(Credit) },
  responses: { 200: jsonAnswer('As it is now', Customer), ...problems },
});

const contacts = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/customers/{id}/contacts',
  tags,
  summary: 'Who speaks for a company',
  request: { params },
  responses: { 200: jsonAnswer('Its contacts', Contacts), ...problems },
});

const putContact = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'put',
  path: '/customers/{id}/contacts/{personId}',
  tags,
  summary: 'Make a person a contact of a company; If-Match names the company’s version',
  request: { params: contactParams, headers: IfMatchHeader, body: jsonRequest(NewContact) },
  responses: { 200: jsonAnswer('The company', Customer), ...problems },
});

const endContact = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/customers/{id}/contacts/{personId}',
  tags,
  summary: 'This person speaks for the company no more',
  request: { params: contactParams, headers: IfMatchHeader },
  responses: { 200: jsonAnswer('The company', Customer), ...problems },
});

const duplicates = createRoute({
  ...secured({ scope: 'customers:read', roles: COUNTER }),
  method: 'get',
  path: '/customers/{id}/duplicates',
  tags,
  summary: 'Records that may be the same customer’s, the likeliest first',
  request: { params },
  responses: {
    200: jsonAnswer('Possible duplicates', z.object({ items: PossibleDuplicates })),
    ...problems,
  },
});

const merge = createRoute({
  ...secured({ scope: 'customers:write', roles: ['senior-agent', 'branch-manager'] }, jsonBody),
  method: 'post',
  path: '/customers/{id}/merge',
  tags,
  summary: 'Merge a duplicate into this customer; it cannot be taken back',
  description: 'Rentals and invoices keep the id that they were made with; it leads here.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewMerge) },
  responses: { 200: jsonAnswer('The one that stands', Customer), ...problems },
});

const doubles = createRoute({
  ...secured({ scope: 'customers:read', roles: COUNTER }),
  method: 'get',
  path: '/possible-duplicates',
  tags,
  summary:
    'Guests of partners who may be customers already, the longest waiting first; 200 at most',
  responses: { 200: jsonAnswer('To be settled', z.object({ items: OpenDoubles })), ...problems },
});

const tellApart = createRoute({
  ...secured({ scope: 'customers:write', roles: ['senior-agent', 'branch-manager'] }),
  method: 'delete',
  path: '/possible-duplicates/{id}/{otherId}',
  tags,
  summary: 'They are two people: off the list',
  request: { params: params.extend({ otherId: Id }) },
  responses: { 204: { description: 'Told apart' }, ...problems },
});

const due = createRoute({
  ...secured({ scope: 'customers:read', roles: [...COUNTER, 'auditor'] }),
  method: 'get',
  path: '/licences/due',
  tags,
  summary: 'Licences to be looked at again by a date, the longest due first; 200 at most',
  request: {
    query: z.strictObject({ until: z.iso.date().openapi({ example: '2027-05-03' }) }),
  },
  responses: { 200: jsonAnswer('Due by then', DueLicences), ...problems },
});

export function customerRecordRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(credit, async (c) => {
      const { id } = c.req.valid('param');
      const terms = c.req.valid('json');
      checkCredit(c.get('caller').roles, terms);
      const row = await setCredit(db, rowAccessOf(c), id, knownVersion(c), terms);
      return c.json(customerView(row), 200, etag(row.version));
    })
    .openapi(contacts, async (c) => {
      const { id } = c.req.valid('param');
      found(await customerById(db, rowAccessOf(c), id), 'customer');
      const rows = await contactsOf(db, rowAccessOf(c), id);
      return c.json({ items: rows.map(contactView) }, 200);
    })
    .openapi(putContact, async (c) => {
      const { id, personId } = c.req.valid('param');
      const does = c.req.valid('json').function;
      const set = setContact(db, rowAccessOf(c), id, knownVersion(c), personId, does);
      const row = await namingReferences(set);
      return c.json(customerView(row), 200, etag(row.version));
    })
    .openapi(endContact, async (c) => {
      const { id, personId } = c.req.valid('param');
      const row = await setContact(db, rowAccessOf(c), id, knownVersion(c), personId, null);
      return c.json(customerView(row), 200, etag(row.version));
    })
    .openapi(duplicates, async (c) => {
      const { id } = c.req.valid('param');
      found(await customerById(db, rowAccessOf(c), id), 'customer');
      return c.json({ items: await possibleDuplicates(deps, rowAccessOf(c), id) }, 200);
    })
    .openapi(merge, (c) =>
      idempotent(c, deps, async () => {
        const { id: survivorId } = c.req.valid('param');
        const { duplicateId } = c.req.valid('json');
        const merging = mergeCustomers(db, rowAccessOf(c), { survivorId, duplicateId });
        const row = await namingReferences(merging);
        return { status: 200, body: customerView(row), headers: etag(row.version) };
      }),
    )
    .openapi(doubles, async (c) => c.json({ items: await openDoubles(db, rowAccessOf(c)) }, 200))
    .openapi(tellApart, async (c) => {
      const { id: customerId, otherId } = c.req.valid('param');
      await dismissDouble(db, rowAccessOf(c), { customerId, otherId });
      return c.body(null, 204);
    })
    .openapi(due, async (c) => {
      const rows = await licencesDue(db, rowAccessOf(c), c.req.valid('query').until);
      return c.json({ items: rows.map(dueLicenceView) }, 200);
    });
}
