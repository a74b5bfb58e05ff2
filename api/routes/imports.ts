// Imports of vehicles from CSV and XLSX: a dry run with a report, then all of it or nothing.
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { applyImport, type CheckedFile, checkImport } from '../../db/commands/vehicle-imports.ts';
import { importById } from '../../db/queries/vehicle-imports.ts';
import { isWithin } from '../../domain/people.ts';
import { type ImportProblem, problemOf } from '../../domain/vehicle-import.ts';
import { secured } from '../auth/access.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { itemId } from '../batch.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { IMPORT_MEDIA_TYPES, importBody, importedTable } from '../imports/file.ts';
import { repeatedIn, type VehicleRows, vehicleRows } from '../imports/vehicle-rows.ts';
import { fileBody } from '../middleware/upload.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, problems } from '../schemas/common.ts';
import { importView, VehicleImport } from '../schemas/imports.ts';
import { etag } from '../versions.ts';

const tags = ['Vehicles'];
const params = z.object({ id: Id });
const access = {
  scope: 'fleet:write',
  roles: ['fleet-planner', 'branch-manager', 'administrator'],
} as const;

const MAX_FILE_BYTES = 10 * 1_048_576;
const MAX_VEHICLES = 10_000;
const MAX_COLUMNS = 100;

const check = createRoute({
  ...secured(access, fileBody({ maxBytes: MAX_FILE_BYTES, mediaTypes: IMPORT_MEDIA_TYPES })),
  method: 'post',
  path: '/vehicles/imports',
  tags,
  summary: 'Check a file of up to 10,000 vehicles; nothing is registered yet',
  description:
    'CSV (UTF-8; comma, semicolon or tab) or the first sheet of an XLSX workbook without formulas. ' +
    'The first row names the columns as a vehicle is registered: plate, classId, branchId, …, ' +
    'subRental.from, acquisition.acquiredOn; case, spaces and underscores do not matter.',
  request: { headers: IdempotencyHeader, body: importBody },
  responses: { 201: jsonAnswer('The report', VehicleImport), ...problems },
});

const read = createRoute({
  ...secured(access),
  method: 'get',
  path: '/vehicles/imports/{id}',
  tags,
  summary: 'An import and its report',
  request: { params },
  responses: { 200: jsonAnswer('The import', VehicleImport), ...problems },
});

const apply = createRoute({
  ...secured(access),
  method: 'post',
  path: '/vehicles/imports/{id}/apply',
  tags,
  summary: 'Register every vehicle of a checked file, or none; 409 `import-refused` with errors',
  request: { params, headers: IdempotencyHeader },
  responses: { 200: jsonAnswer('Applied', VehicleImport), ...problems },
});

export function importRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(check, (c) =>
      idempotent(c, deps, async (id) => {
        const row = await checkImport(db, rowAccessOf(c), await checkedFile(c, id));
        const headers = { ...etag(row.version), location: `/api/v1/vehicles/imports/${id}` };
        return { status: 201, body: importView(row), headers };
      }),
    )
    .openapi(read, async (c) => {
      const row = await importById(db, rowAccessOf(c), c.req.valid('param').id);
      const { version } = found(row, 'import');
      return c.json(importView(found(row, 'import')), 200, etag(version));
    })
    .openapi(apply, (c) =>
      idempotent(c, deps, async () => {
        const row = await applyImport(db, rowAccessOf(c), c.req.valid('param').id);
        return { status: 200, body: importView(found(row, 'import')) };
      }),
    );
}

async function checkedFile(c: Context<ApiEnv>, id: string): Promise<CheckedFile> {
  const limits = { rows: MAX_VEHICLES, columns: MAX_COLUMNS };
  const { file, rows: table, broken } = await importedTable(c.get('bodyBytes'), 'vehicles', limits);
  if (broken.length > 0) return { ...file, id, vehicles: [], problems: broken };
  const rows = vehicleRows(table);
  const vehicles = rows.vehicles.map(({ row, vehicle }) => {
    return { row, vehicle: { ...vehicle, id: itemId(id, row) } };
  });
  const found = [...rows.problems, ...repeatedIn(rows), ...foreign(c, rows)];
  return { ...file, id, vehicles, problems: found };
}

/** As `assertBranch` says it of a single vehicle. */
function foreign(c: Context<ApiEnv>, { vehicles }: VehicleRows): readonly ImportProblem[] {
  const { branches } = c.get('caller');
  return vehicles
    .filter(({ vehicle }) => !isWithin(branches, vehicle.branchId))
    .map(({ row }) => problemOf(row, 'branchId', 'You do not work at this branch.'));
}
