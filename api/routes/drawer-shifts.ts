// Shifts of cash drawers over HTTP: opened, dropped from, counted blind, closed and verified.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  closeShift,
  countShift,
  dropCash,
  type Known,
  openShift,
  startCounting,
  verifyShift,
} from '../../db/commands/drawer-shifts.ts';
import { listShifts, shiftInFull } from '../../db/queries/drawer-shifts.ts';
import { branchById } from '../../db/queries/vehicles.ts';
import type { DrawerShift as ShiftRow } from '../../db/shift-row.ts';
import { type Access, secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { assertBranch, rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  CashDrop,
  DrawerShift,
  DrawerShiftInFull,
  NewDrawerShift,
  ShiftClosing,
  ShiftCount,
  ShiftList,
} from '../schemas/drawer-shifts.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Cash drawers'];
const params = z.object({ id: Id });
const headers = IdempotencyHeader.extend(IfMatchHeader.shape);
const AT_DRAWER = { scope: 'rentals:write', roles: COUNTER } as const;
const VERIFY = {
  scope: 'rentals:write',
  roles: ['senior-agent', 'branch-manager', ...BOOKS],
} as const;
const READ = { scope: 'accounting:read', roles: [...COUNTER, ...BOOKS, 'auditor'] } as const;

const open = createRoute({
  ...secured(AT_DRAWER, jsonBody),
  method: 'post',
  path: '/drawer-shifts',
  tags,
  summary: 'Open a drawer’s shift with its float out of the safe; one shift a drawer',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewDrawerShift) },
  responses: { 201: jsonAnswer('Opened', DrawerShift), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/drawer-shifts',
  tags,
  summary: 'Shifts by branch, state and day, in the order in which they were opened',
  request: { query: ShiftList },
  responses: { 200: jsonAnswer('A page', pageOf(DrawerShift)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/drawer-shifts/{id}',
  tags,
  summary: 'One shift; what moved and what is expected is shown after the count',
  request: { params },
  responses: { 200: jsonAnswer('The shift', DrawerShiftInFull), ...problems },
});

const drop = createRoute({
  ...secured(AT_DRAWER, jsonBody),
  method: 'post',
  path: '/drawer-shifts/{id}/drops',
  tags,
  summary: 'Put cash of an open shift into the safe',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(CashDrop) },
  responses: { 200: jsonAnswer('The shift', DrawerShift), ...problems },
});

const count = createRoute({
  ...secured(AT_DRAWER, jsonBody),
  method: 'post',
  path: '/drawer-shifts/{id}/count',
  tags,
  summary: 'Notes and coins, and the terminals’ slips, as counted; once. Shows what was expected',
  request: { params, headers, body: jsonRequest(ShiftCount) },
  responses: { 200: jsonAnswer('With its difference', DrawerShift), ...problems },
});

const close = createRoute({
  ...secured(AT_DRAWER, jsonBody),
  method: 'post',
  path: '/drawer-shifts/{id}/close',
  tags,
  summary: 'Post the difference and hand the cash in; large ones need a reason, or a manager',
  request: { params, headers, body: jsonRequest(ShiftClosing) },
  responses: { 200: jsonAnswer('Closed', DrawerShift), ...problems },
});

function step<P extends 'counting' | 'verify'>(path: P, access: Access, summary: string) {
  return createRoute({
    ...secured(access),
    method: 'post',
    path: `/drawer-shifts/{id}/${path}` as const,
    tags,
    summary,
    request: { params, headers },
    responses: { 200: jsonAnswer('As it is now', DrawerShift), ...problems },
  });
}

const counting = step('counting', AT_DRAWER, 'Begin to count: from now on no cash moves');
const verify = step('verify', VERIFY, 'Confirm the count; never who counted it');

export function drawerShiftRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;

  const changed = (c: Context<ApiEnv>, id: string, work: (known: Known) => Promise<ShiftRow>) => {
    const known = { id, version: knownVersion(c) };
    return idempotent(c, deps, async () => {
      const body = await work(known);
      return { status: 200, body, headers: etag(body.version) };
    });
  };

  return apiRouter()
    .openapi(open, (c) =>
      idempotent(c, deps, async (id) => {
        const { branchId, ...asked } = c.req.valid('json');
        const branch = await branchById(db, branchId);
        if (branch === undefined) {
          throw new ProblemError('unknown-reference', 'There is no such branch.');
        }
        assertBranch(c, branchId);
        const { entity_id: entityId, time_zone: timeZone } = branch;
        const shift = { ...asked, id, branchId, entityId, timeZone };
        const body = await openShift(db, rowAccessOf(c), shift);
        const location = `/api/v1/drawer-shifts/${body.id}`;
        return { status: 201, body, headers: { ...etag(body.version), location } };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const shifts = await listShifts(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(
          shifts,
          ({ id }) => id,
          (shift) => shift,
        ),
        200,
      );
    })
    .openapi(read, async (c) => {
      const shift = found(await shiftInFull(db, rowAccessOf(c), c.req.valid('param').id), 'shift');
      return c.json(shift, 200, etag(shift.version));
    })
    .openapi(drop, (c) =>
      idempotent(c, deps, async (id) => {
        const asked = { ...c.req.valid('json'), id, shiftId: c.req.valid('param').id };
        return { status: 200, body: await dropCash(db, rowAccessOf(c), asked) };
      }),
    )
    .openapi(counting, (c) =>
      changed(c, c.req.valid('param').id, (known) => startCounting(db, rowAccessOf(c), known)),
    )
    .openapi(count, (c) =>
      changed(c, c.req.valid('param').id, (known) =>
        countShift(db, rowAccessOf(c), known, c.req.valid('json')),
      ),
    )
    .openapi(close, (c) => {
      const isManager = c.get('caller').roles.includes('branch-manager');
      const closing = { ...c.req.valid('json'), isManager };
      return changed(c, c.req.valid('param').id, (known) =>
        closeShift(db, rowAccessOf(c), known, closing),
      );
    })
    .openapi(verify, (c) =>
      changed(c, c.req.valid('param').id, (known) => verifyShift(db, rowAccessOf(c), known)),
    );
}
