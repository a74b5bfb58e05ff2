// Vehicle classes by their ACRISS code: what customers book.
import { createRoute, z } from '@hono/zod-openapi';
import { registerClass, updateClass } from '../../db/commands/branches.ts';
import { classById, listClasses } from '../../db/queries/vehicles.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { ClassId, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import { ClassChange, ClassList, classView, NewClass, VehicleClass } from '../schemas/vehicles.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Classes'];
const params = z.object({ id: ClassId });

/** Customers and partners choose from them too. */
const READ = { scope: 'fleet:read', roles: EVERYONE, customers: 'own', partners: true } as const;

const create = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'post',
  path: '/classes',
  tags,
  summary: 'Add a vehicle class',
  request: { headers: IdempotencyHeader, body: jsonRequest(NewClass) },
  responses: { 201: jsonAnswer('Added', VehicleClass), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/classes',
  tags,
  summary: 'Classes by code',
  request: { query: ClassList },
  responses: { 200: jsonAnswer('A page', pageOf(VehicleClass)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/classes/{id}',
  tags,
  summary: 'One class',
  request: { params },
  responses: { 200: jsonAnswer('The class', VehicleClass), ...problems },
});

const update = createRoute({
  ...secured({ scope: 'fleet:write', roles: ['fleet-planner', 'administrator'] }, jsonBody),
  method: 'patch',
  path: '/classes/{id}',
  tags,
  summary: 'Rename a class; 412 when it was changed meanwhile',
  request: { params, headers: IfMatchHeader, body: jsonRequest(ClassChange) },
  responses: { 200: jsonAnswer('As it is now', VehicleClass), ...problems },
});

export function classRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async () => {
        const row = await registerClass(db, rowAccessOf(c), c.req.valid('json'));
        const headers = { ...etag(row.version), location: `/api/v1/classes/${row.id}` };
        return { status: 201, body: classView(row), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, limit } = c.req.valid('query');
      const classes = await listClasses(db, { after, limit });
      return c.json(
        page(classes, (row) => row.id, classView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const row = found(await classById(db, c.req.valid('param').id), 'class');
      return c.json(classView(row), 200, etag(row.version));
    })
    .openapi(update, async (c) => {
      const { id } = c.req.valid('param');
      const row = await updateClass(db, rowAccessOf(c), id, knownVersion(c), c.req.valid('json'));
      return c.json(classView(row), 200, etag(row.version));
    });
}
