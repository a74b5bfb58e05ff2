// Vehicle classes by their ACRISS code: what customers book.
import { createRoute, z } from '@hono/zod-openapi';
import { registerClass, updateClass } from '../../db/commands/branches.ts';
import { classById, listClasses } from '../../db/queries/vehicles.ts';
import { principalOf } from '../../domain/actor.ts';
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

const create = createRoute({
  method: 'post',
  path: '/classes',
  tags,
  summary: 'Add a vehicle class',
  middleware: jsonBody,
  request: { headers: IdempotencyHeader, body: jsonRequest(NewClass) },
  responses: { 201: jsonAnswer('Added', VehicleClass), ...problems },
});

const list = createRoute({
  method: 'get',
  path: '/classes',
  tags,
  summary: 'Classes by code',
  request: { query: ClassList },
  responses: { 200: jsonAnswer('A page', pageOf(VehicleClass)), ...problems },
});

const read = createRoute({
  method: 'get',
  path: '/classes/{id}',
  tags,
  summary: 'One class',
  request: { params },
  responses: { 200: jsonAnswer('The class', VehicleClass), ...problems },
});

const update = createRoute({
  method: 'patch',
  path: '/classes/{id}',
  tags,
  summary: 'Rename a class; 412 when it was changed meanwhile',
  middleware: jsonBody,
  request: { params, headers: IfMatchHeader, body: jsonRequest(ClassChange) },
  responses: { 200: jsonAnswer('As it is now', VehicleClass), ...problems },
});

export function classRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(create, (c) =>
      idempotent(c, deps, async () => {
        const row = await registerClass(db, principalOf(deps.actorOf(c)), c.req.valid('json'));
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
      const principal = principalOf(deps.actorOf(c));
      const row = await updateClass(db, principal, id, knownVersion(c), c.req.valid('json'));
      return c.json(classView(row), 200, etag(row.version));
    });
}
