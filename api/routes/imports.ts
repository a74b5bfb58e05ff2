// Imports of vehicles from CSV and XLSX: a dry run with a report, then all of it or nothing.
import { createHash } from 'node:crypto';
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
import { formatOf, readTable } from '../imports/table.ts';
import { repeatedIn, type VehicleRows, vehicleRows } from '../imports/vehicle-rows.ts';
import { fileBody } from '../middleware/upload.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, problems } from '../schemas/common.ts';
import { ImportFile, importView, VehicleImport } from '../schemas/imports.ts';
import { etag } from '../versions.ts';

const tags = ['Vehicles'];
const params = z.object({ id: Id });
const access = {
  scope: 'fleet:write',
  roles: ['fleet-planner', 'branch-manager', 'administrator'],
} as const;

const MAX_FILE_BYTES = 10 * 1_048_576;
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const MEDIA_TYPES = ['text/csv', XLSX, 'application/octet-stream'] as const;
const MAX_VEHICLES = 10_000;
const MAX_COLUMNS = 100;

const check = createRoute({
  ...secured(access, fileBody({ maxBytes: MAX_FILE_BYTES, mediaTypes: MEDIA_TYPES })),
  method: 'post',
  path: '/vehicles/imports',
  tags,
  summary: 'Check a file of up to 10,000 vehicles; nothing is registered yet',
  description:
    'CSV (UTF-8; comma, semicolon or tab) or the first sheet of an XLSX workbook without formulas. ' +
    'The first row names the columns as a vehicle is registered: plate, classId, branchId, …, ' +
    'subRental.from, acquisition.acquiredOn; case, spaces and underscores do not matter.',
  request: {
    headers: IdempotencyHeader,
    body: {
      required: true,
      content: {
        'text/csv': { schema: ImportFile },
        [XLSX]: { schema: ImportFile },
        'application/octet-stream': { schema: ImportFile },
      },
    },
  },
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
  const bytes = c.get('bodyBytes');
  const contentSha256 = createHash('sha256').update(bytes).digest('hex');
  const format = formatOf(bytes);
  const limits = { rows: MAX_VEHICLES + 1, columns: MAX_COLUMNS };
  const table = await readTable({ bytes, format, limits });
  const file = { id, format, contentSha256 } as const;
  const rowCount = Math.max(0, table.rows.length - 1);
  const broken = table.problems.length > 0 ? table.problems : sizeProblems(rowCount);
  if (broken.length > 0) return { ...file, rowCount, vehicles: [], problems: broken };
  const rows = vehicleRows(table.rows);
  const vehicles = rows.vehicles.map(({ row, vehicle }) => {
    return { row, vehicle: { ...vehicle, id: itemId(id, row) } };
  });
  const found = [...rows.problems, ...repeatedIn(rows), ...foreign(c, rows)];
  return { ...file, rowCount, vehicles, problems: found };
}

function sizeProblems(rowCount: number): readonly ImportProblem[] {
  if (rowCount === 0) return [problemOf(1, null, 'The file has no vehicles.')];
  if (rowCount <= MAX_VEHICLES) return [];
  return [problemOf(MAX_VEHICLES + 2, null, `A file has at most ${MAX_VEHICLES} vehicles.`)];
}

/** As `assertBranch` says it of a single vehicle. */
function foreign(c: Context<ApiEnv>, { vehicles }: VehicleRows): readonly ImportProblem[] {
  const { branches } = c.get('caller');
  return vehicles
    .filter(({ vehicle }) => !isWithin(branches, vehicle.branchId))
    .map(({ row }) => problemOf(row, 'branchId', 'You do not work at this branch.'));
}
