// Drivers over HTTP: whether somebody may drive, who drives a rental, and what each class asks for.
import { createRoute, z } from '@hono/zod-openapi';
import { eligibilityOf, listDriverRules, setDriverRule } from '../../db/commands/driver-rules.ts';
import {
  driversOfRental,
  nameDriver,
  overrideDriver,
  removeDriver,
} from '../../db/commands/rental-drivers.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { branchById } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { COUNTER, EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found, ProblemError } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  DriverOverride,
  DriverRuleClass,
  DriverRuleShown,
  driverRuleView,
  driverView,
  Eligibility,
  eligibilityView,
  NewDriverRule,
  NewEligibility,
  RentalDriverShown,
} from '../schemas/drivers.ts';

const tags = ['Drivers'];
const params = z.object({ id: Id });
const driverParams = params.extend({ customerId: Id });
const WRITE = { scope: 'rentals:write', roles: COUNTER } as const;

const eligibility = createRoute({
  ...secured({ scope: 'customers:read', roles: COUNTER }, jsonBody),
  method: 'post',
  path: '/customers/{id}/eligibility',
  tags,
  summary: 'Whether this customer may drive a class from one instant to another; stores nothing',
  request: { params, body: jsonRequest(NewEligibility) },
  responses: { 200: jsonAnswer('The verdict', Eligibility), ...problems },
});

const list = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, 'auditor'] }),
  method: 'get',
  path: '/rentals/{id}/drivers',
  tags,
  summary: 'Who drives a rental, and what stands against each',
  request: { params },
  responses: {
    200: jsonAnswer('Its drivers', z.object({ items: z.array(RentalDriverShown).readonly() })),
    ...problems,
  },
});

const name = createRoute({
  ...secured(WRITE),
  method: 'put',
  path: '/rentals/{id}/drivers/{customerId}',
  tags,
  summary: 'Name a driver, or judge one again; 409 when the vehicle is out and they may not drive',
  request: { params: driverParams },
  responses: { 200: jsonAnswer('As judged now', RentalDriverShown), ...problems },
});

const remove = createRoute({
  ...secured(WRITE),
  method: 'delete',
  path: '/rentals/{id}/drivers/{customerId}',
  tags,
  summary: 'This customer drives the rental no more',
  request: { params: driverParams },
  responses: { 204: { description: 'Removed' }, ...problems },
});

const override = createRoute({
  ...secured({ scope: 'rentals:write', roles: ['branch-manager'] }, jsonBody),
  method: 'post',
  path: '/rentals/{id}/drivers/{customerId}/override',
  tags,
  summary: 'Let a driver drive all the same; what comes up later is not let pass',
  request: { params: driverParams, headers: IdempotencyHeader, body: jsonRequest(DriverOverride) },
  responses: { 200: jsonAnswer('As judged now', RentalDriverShown), ...problems },
});

const rules = createRoute({
  ...secured({ scope: 'rentals:read', roles: EVERYONE }),
  method: 'get',
  path: '/driver-rules',
  tags,
  summary: 'What drivers must bring, by class; * is for the others',
  responses: {
    200: jsonAnswer('All of them', z.object({ items: z.array(DriverRuleShown).readonly() })),
    ...problems,
  },
});

const setRule = createRoute({
  ...secured({ scope: 'rentals:write', roles: ['administrator'] }, jsonBody),
  method: 'put',
  path: '/driver-rules/{classId}',
  tags,
  summary: 'Set what drivers of a class must bring',
  request: { params: z.object({ classId: DriverRuleClass }), body: jsonRequest(NewDriverRule) },
  responses: { 200: jsonAnswer('As it is now', DriverRuleShown), ...problems },
});

export function driverRoutes(deps: ApiDeps): ApiRouter {
  const { db, envelope } = deps;
  return apiRouter()
    .openapi(eligibility, async (c) => {
      const { branchId, returnBranchId = branchId, ...drive } = c.req.valid('json');
      const zone = await zoneOf(branchId);
      const whole = { ...drive, zone, returnZone: await zoneOf(returnBranchId) };
      const { id } = c.req.valid('param');
      const verdict = await eligibilityOf(db, envelope, rowAccessOf(c), id, whole);
      return c.json(eligibilityView(found(verdict, 'customer')), 200);
    })
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      found(await rentalById(db, rowAccessOf(c), id), 'rental');
      const drivers = await driversOfRental(db, rowAccessOf(c), id);
      return c.json({ items: drivers.map(driverView) }, 200);
    })
    .openapi(name, async (c) => {
      const { id: rentalId, customerId } = c.req.valid('param');
      const naming = nameDriver(db, envelope, rowAccessOf(c), { rentalId, customerId });
      return c.json(driverView(await namingReferences(naming)), 200);
    })
    .openapi(remove, async (c) => {
      const { id: rentalId, customerId } = c.req.valid('param');
      await removeDriver(db, rowAccessOf(c), { rentalId, customerId });
      return c.body(null, 204);
    })
    .openapi(override, (c) =>
      idempotent(c, deps, async () => {
        const { id: rentalId, customerId } = c.req.valid('param');
        const { reason } = c.req.valid('json');
        const named = { rentalId, customerId };
        const driver = await overrideDriver(db, rowAccessOf(c), named, reason);
        return { status: 200, body: driverView(driver) };
      }),
    )
    .openapi(rules, async (c) => {
      const rows = await listDriverRules(db, rowAccessOf(c));
      return c.json({ items: rows.map(driverRuleView) }, 200);
    })
    .openapi(setRule, async (c) => {
      const { classId } = c.req.valid('param');
      const row = await setDriverRule(db, rowAccessOf(c), classId, c.req.valid('json'));
      return c.json(driverRuleView(row), 200);
    });

  async function zoneOf(branchId: string): Promise<string> {
    const zone = (await branchById(db, branchId))?.time_zone;
    if (zone !== undefined) return zone;
    throw new ProblemError('unknown-reference', 'There is no such branch.', {
      more: { of: 'branch' },
    });
  }
}
