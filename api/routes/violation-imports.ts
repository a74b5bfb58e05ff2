// Files of tolls and fines: a dry run with a report per row, then all of them or none.
import { createHash } from 'node:crypto';
import { createRoute, z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import {
  applyNotices,
  type CheckedNotices,
  checkNotices,
} from '../../db/commands/violation-imports.ts';
import { violationImportById } from '../../db/queries/violations.ts';
import { problemOf } from '../../domain/vehicle-import.ts';
import { secured } from '../auth/access.ts';
import { BOOKS } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import { itemId } from '../batch.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { rowReader } from '../imports/rows.ts';
import { formatOf, readTable } from '../imports/table.ts';
import { fileBody } from '../middleware/upload.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, problems } from '../schemas/common.ts';
import { ImportFile } from '../schemas/imports.ts';
import { NewViolation, ViolationImport, violationImportView } from '../schemas/violations.ts';
import { etag } from '../versions.ts';

const tags = ['Tolls and fines'];
const params = z.object({ id: Id });
const access = { scope: 'rentals:write', roles: ['branch-manager', ...BOOKS] } as const;

const MAX_FILE_BYTES = 2 * 1_048_576;
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';
const MEDIA_TYPES = ['text/csv', XLSX, 'application/octet-stream'] as const;
/** Each is matched by itself within one transaction. */
const MAX_NOTICES = 1_000;
const MAX_COLUMNS = 40;

const check = createRoute({
  ...secured(access, fileBody({ maxBytes: MAX_FILE_BYTES, mediaTypes: MEDIA_TYPES })),
  method: 'post',
  path: '/violations/imports',
  tags,
  summary: 'Check a file of up to 1,000 notices; nothing is taken in yet',
  description:
    'CSV (UTF-8; comma, semicolon or tab) or the first sheet of an XLSX workbook. The first row ' +
    'names the columns as `POST /violations` does; case, spaces and underscores do not matter.',
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
  responses: { 201: jsonAnswer('The report', ViolationImport), ...problems },
});

const read = createRoute({
  ...secured(access),
  method: 'get',
  path: '/violations/imports/{id}',
  tags,
  summary: 'A file of notices and its report; one’s own',
  request: { params },
  responses: { 200: jsonAnswer('The import', ViolationImport), ...problems },
});

const apply = createRoute({
  ...secured(access),
  method: 'post',
  path: '/violations/imports/{id}/apply',
  tags,
  summary: 'Take every notice of a checked file in, or none; 409 `import-refused` with errors',
  request: { params, headers: IdempotencyHeader },
  responses: { 200: jsonAnswer('Applied', ViolationImport), ...problems },
});

const readRows = rowReader(NewViolation, 'notices');

export function violationImportRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(check, (c) =>
      idempotent(c, deps, async (id) => {
        const row = await checkNotices(db, rowAccessOf(c), await checkedFile(c, id));
        const headers = { ...etag(row.version), location: `/api/v1/violations/imports/${id}` };
        return { status: 201, body: violationImportView(row), headers };
      }),
    )
    .openapi(read, async (c) => {
      const row = await violationImportById(db, rowAccessOf(c), c.req.valid('param').id);
      const known = found(row, 'import');
      return c.json(violationImportView(known), 200, etag(known.version));
    })
    .openapi(apply, (c) =>
      idempotent(c, deps, async () => {
        const row = await applyNotices(db, rowAccessOf(c), c.req.valid('param').id);
        return { status: 200, body: violationImportView(found(row, 'import')) };
      }),
    );
}

async function checkedFile(c: Context<ApiEnv>, id: string): Promise<CheckedNotices> {
  const bytes = c.get('bodyBytes');
  const contentSha256 = createHash('sha256').update(bytes).digest('hex');
  const format = formatOf(bytes);
  const limits = { rows: MAX_NOTICES + 1, columns: MAX_COLUMNS };
  const table = await readTable({ bytes, format, limits });
  const rowCount = Math.max(0, table.rows.length - 1);
  const file = { id, format, contentSha256, rowCount } as const;
  const broken = table.problems.length > 0 ? table.problems : sizeProblems(rowCount);
  if (broken.length > 0) return { ...file, notices: [], problems: broken };
  const { good, problems: faults } = readRows(table.rows);
  const notices = good.map(({ row, body }) => ({ row, notice: { ...body, id: itemId(id, row) } }));
  return { ...file, notices, problems: faults };
}

function sizeProblems(rowCount: number) {
  if (rowCount === 0) return [problemOf(1, null, 'The file has no notices.')];
  if (rowCount <= MAX_NOTICES) return [];
  return [problemOf(MAX_NOTICES + 2, null, `A file has at most ${MAX_NOTICES} notices.`)];
}
