// The blocklist over HTTP: managers keep it, and only who may know why may read it.
import { createRoute, z } from '@hono/zod-openapi';
import { blockCustomer, liftBlock } from '../../db/commands/blocklist.ts';
import { blocksOf, listBlocks } from '../../db/queries/customers.ts';
import { customerById } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { BOOKS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Block, BlockList, blockView, LiftBlock, NewBlock } from '../schemas/blocklist.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';

const tags = ['Customers'];
const params = z.object({ id: Id });
const READ = {
  scope: 'customers:read',
  roles: ['senior-agent', 'branch-manager', ...BOOKS, 'auditor'],
} as const;
const WRITE = {
  scope: 'customers:write',
  roles: ['branch-manager', 'finance-controller'],
} as const;

const block = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/customers/{id}/blocks',
  tags,
  summary: 'Rent to this customer no more',
  description:
    'New rentals and check-outs are 409 `customer-blocked`, as renter and as driver; what is out ' +
    'stays out.',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewBlock) },
  responses: { 201: jsonAnswer('Blocked', Block), ...problems },
});

const ofCustomer = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/customers/{id}/blocks',
  tags,
  summary: 'Blocks of a customer, also those that are over',
  request: { params },
  responses: {
    200: jsonAnswer('In order of time', z.object({ items: z.array(Block).readonly() })),
    ...problems,
  },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/blocklist',
  tags,
  summary: 'Blocks that are in force',
  request: { query: BlockList },
  responses: { 200: jsonAnswer('A page', pageOf(Block)), ...problems },
});

const lift = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/blocklist/{id}/lift',
  tags,
  summary: 'Lift a block; it stays on record',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(LiftBlock) },
  responses: { 200: jsonAnswer('It is over', Block), ...problems },
});

export function blocklistRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(block, (c) =>
      idempotent(c, deps, async (id) => {
        const { until = null, ...given } = c.req.valid('json');
        const customerId = c.req.valid('param').id;
        const row = await blockCustomer(db, rowAccessOf(c), { id, customerId, until, ...given });
        return { status: 201, body: blockView(row) };
      }),
    )
    .openapi(ofCustomer, async (c) => {
      const { id } = c.req.valid('param');
      found(await customerById(db, rowAccessOf(c), id), 'customer');
      return c.json({ items: (await blocksOf(db, rowAccessOf(c), id)).map(blockView) }, 200);
    })
    .openapi(list, async (c) => {
      const { cursor: after, limit } = c.req.valid('query');
      const blocks = await listBlocks(db, rowAccessOf(c), { after, limit });
      return c.json(
        page(blocks, (row) => row.id, blockView),
        200,
      );
    })
    .openapi(lift, (c) =>
      idempotent(c, deps, async () => {
        const { id } = c.req.valid('param');
        const row = await liftBlock(db, rowAccessOf(c), id, c.req.valid('json').reason);
        return { status: 200, body: blockView(row) };
      }),
    );
}
