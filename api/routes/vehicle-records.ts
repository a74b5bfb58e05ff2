// What belongs to the register beside vehicles: plates over time, expiries, the upgrade ladder.
import { createRoute, z } from '@hono/zod-openapi';
import { setUpgrades } from '../../db/commands/upgrades.ts';
import {
  listExpiries,
  plateHolders,
  platesOf,
  upgradesOf,
} from '../../db/queries/vehicle-records.ts';
import { classById, vehicleById } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { ClassId, Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  ExpiryList,
  ExpiryShown,
  expiryView,
  NewLadder,
  PlatePeriods,
  PlateQuestion,
  platesView,
  UpgradeLadder,
} from '../schemas/vehicle-records.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const READ = { scope: 'fleet:read', roles: EVERYONE } as const;
const DAY_MS = 86_400_000;
const classParams = z.object({ id: ClassId });

const byPlate = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/by-plate',
  tags: ['Vehicles'],
  summary: 'Which vehicle had a plate at an instant, as a fine asks; one a jurisdiction',
  request: { query: PlateQuestion },
  responses: { 200: jsonAnswer('Those that had it', PlatePeriods), ...problems },
});

const plates = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/plates',
  tags: ['Vehicles'],
  summary: 'The plates of a vehicle, the newest first',
  request: { params: z.object({ id: Id }) },
  responses: { 200: jsonAnswer('Its plates', PlatePeriods), ...problems },
});

const expiries = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/expiries',
  tags: ['Vehicles'],
  summary: 'Papers, holds by date and sub-rentals that end within 7, 30 or 60 days',
  request: { query: ExpiryList },
  responses: { 200: jsonAnswer('A page, the most urgent first', pageOf(ExpiryShown)), ...problems },
});

const readLadder = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/classes/{id}/upgrades',
  tags: ['Classes'],
  summary: 'What a renter of this class may be given instead',
  request: { params: classParams },
  responses: { 200: jsonAnswer('The ladder', UpgradeLadder), ...problems },
});

const setLadder = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'put',
  path: '/classes/{id}/upgrades',
  tags: ['Classes'],
  summary: 'Set the upgrade ladder; If-Match is the version of the class',
  request: { params: classParams, headers: IfMatchHeader, body: jsonRequest(NewLadder) },
  responses: { 200: jsonAnswer('As it is now', UpgradeLadder), ...problems },
});

export function vehicleRecordRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(byPlate, async (c) => {
      const { at, ...asked } = c.req.valid('query');
      const holders = await plateHolders(db, rowAccessOf(c), { at: at ?? deps.now(), ...asked });
      return c.json(platesView(holders), 200);
    })
    .openapi(expiries, async (c) => {
      const { cursor: after, within, ...asked } = c.req.valid('query');
      const before = new Date(Date.parse(deps.now()) + within * DAY_MS).toISOString();
      const due = await listExpiries(db, rowAccessOf(c), { after, before, ...asked });
      return c.json(
        page(due, (row) => row.id, expiryView),
        200,
      );
    })
    .openapi(plates, async (c) => {
      const { id } = c.req.valid('param');
      const access = rowAccessOf(c);
      found(await vehicleById(db, access, id), 'vehicle');
      return c.json(platesView(await platesOf(db, access, id)), 200);
    })
    .openapi(readLadder, async (c) => {
      const { id } = c.req.valid('param');
      const { version } = found(await classById(db, id), 'class');
      const ladder = { classId: id, upgrades: await upgradesOf(db, id), version };
      return c.json(ladder, 200, etag(version));
    })
    .openapi(setLadder, async (c) => {
      const { id } = c.req.valid('param');
      const { upgrades } = c.req.valid('json');
      const change = setUpgrades(db, rowAccessOf(c), id, knownVersion(c), upgrades);
      const { version } = await namingReferences(change);
      return c.json({ classId: id, upgrades, version }, 200, etag(version));
    });
}
