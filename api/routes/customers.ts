// Customers: who rents. Their details stay here; everything else knows them by id.
import { createRoute, z } from '@hono/zod-openapi';
import { createCustomer, updateCustomer } from '../../db/commands/customers.ts';
import { customerById, listCustomers } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { COUNTER, KNOWS_CUSTOMERS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { possibleDuplicates } from '../customer-duplicates.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { given, Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  Customer,
  CustomerChange,
  CustomerList,
  customerView,
  NewCustomer,
  RegisteredCustomer,
} from '../schemas/customers.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Customers'];
const params = z.object({ id: Id });

const READ = {
  scope: 'customers:read',
  roles: KNOWS_CUSTOMERS,
  customers: 'own',
} as const;
const WRITE = { scope: 'customers:write', roles: COUNTER } as const;

const create = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/customers',
  tags,
  summary: 'Register a customer; the answer names who may be the same',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewCustomer) },
  responses: { 201: jsonAnswer('Registered', RegisteredCustomer), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/customers',
  tags,
  summary: 'Customers in order of registration, by the beginning of the name',
  request: { query: CustomerList },
  responses: { 200: jsonAnswer('A page', pageOf(Customer)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/customers/{id}',
  tags,
  summary: 'One customer',
  request: { params },
  responses: { 200: jsonAnswer('The customer', Customer), ...problems },
});

const update = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'patch',
  path: '/customers/{id}',
  tags,
  summary: 'Change a customer; 412 when it was changed meanwhile',
  request: { params, headers: IfMatchHeader, body: jsonRequest(CustomerChange) },
  responses: { 200: jsonAnswer('As it is now', Customer), ...problems },
});

export function customerRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async (id) => {
        const customer = { ...c.req.valid('json'), id };
        const row = await namingReferences(createCustomer(db, rowAccessOf(c), customer));
        const doubles = await possibleDuplicates(deps, rowAccessOf(c), row.id);
        const headers = { ...etag(row.version), location: `/api/v1/customers/${id}` };
        const body = { ...customerView(row), possibleDuplicates: doubles };
        return { status: 201, body, headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const customers = await listCustomers(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(customers, (row) => row.id, customerView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(
        await customerById(db, rowAccessOf(c), c.req.valid('param').id),
        'customer',
      );
      return c.json(customerView(row), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const change = given(c.req.valid('json'));
      const changing = updateCustomer(db, rowAccessOf(c), id, knownVersion(c), change);
      const row = await namingReferences(changing);
      return c.json(customerView(row), 200, etag(row.version));
    });
}
