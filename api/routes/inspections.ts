// Inspections over HTTP: drafted at the vehicle, given photos and a signature, completed for good.
import { createRoute, z } from '@hono/zod-openapi';
import {
  addInspectionFile,
  completeInspection,
  draftInspection,
} from '../../db/commands/inspections.ts';
import {
  inspectionById,
  inspectionFile,
  inspectionsOfRental,
} from '../../db/queries/inspections.ts';
import { rentalById } from '../../db/queries/rentals.ts';
import { MAX_DOCUMENT_BYTES } from '../../domain/vehicle-document.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { namingReferences } from '../errors.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { fileBody } from '../middleware/upload.ts';
import { putNoted } from '../noted-files.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, problems } from '../schemas/common.ts';
import {
  fileView,
  IMAGES,
  Inspection,
  InspectionFile,
  InspectionFileDetails,
  InspectionSummary,
  inspectionView,
  NewInspection,
  summaryView,
} from '../schemas/inspections.ts';
import { contentHeaders, harmless } from '../vehicle-files.ts';
import { etag } from '../versions.ts';

const tags = ['Inspections'];
const params = z.object({ id: Id });
const fileParams = z.object({ id: Id, fileId: Id });
const WRITE = { scope: 'rentals:write', roles: [...COUNTER, 'technician'] } as const;
const READ = {
  scope: 'rentals:read',
  roles: [...COUNTER, ...BOOKS, 'technician', 'auditor'],
} as const;
const picture = { schema: z.string().openapi({ type: 'string', format: 'binary' }) };
const pictures = Object.fromEntries(IMAGES.map((type) => [type, picture]));

const draft = createRoute({
  ...secured(WRITE, jsonBody),
  method: 'post',
  path: '/rentals/{id}/inspections',
  tags,
  summary: 'Begin an inspection of the rental’s vehicle; it counts once it is completed',
  request: { params, headers: IdempotencyHeader, body: jsonRequest(NewInspection) },
  responses: { 201: jsonAnswer('A draft', Inspection), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/rentals/{id}/inspections',
  tags,
  summary: 'Inspections of a rental, drafts and corrected ones too',
  request: { params },
  responses: {
    200: jsonAnswer('All of them', z.object({ items: z.array(InspectionSummary).readonly() })),
    ...problems,
  },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/inspections/{id}',
  tags,
  summary: 'One inspection; of one at the return, what differs from the hand-over',
  request: { params },
  responses: { 200: jsonAnswer('The inspection', Inspection), ...problems },
});

const addFile = createRoute({
  ...secured(WRITE, fileBody({ maxBytes: MAX_DOCUMENT_BYTES, mediaTypes: IMAGES })),
  method: 'post',
  path: '/inspections/{id}/files',
  tags,
  summary: 'Add a photo or the signature, at most 10 MiB, before the completion',
  request: {
    params,
    headers: IdempotencyHeader,
    query: InspectionFileDetails,
    body: { required: true, content: pictures },
  },
  responses: { 201: jsonAnswer('Added', InspectionFile), ...problems },
});

const content = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/inspections/{id}/files/{fileId}/content',
  tags,
  summary: 'The picture itself',
  request: { params: fileParams },
  responses: { 200: { description: 'The picture', content: pictures }, ...problems },
});

const complete = createRoute({
  ...secured(WRITE),
  method: 'post',
  path: '/inspections/{id}/complete',
  tags,
  summary: 'Fix it for good; a mistake is corrected by a new one that names it',
  request: { params, headers: IdempotencyHeader },
  responses: { 200: jsonAnswer('Completed', Inspection), ...problems },
});

export function inspectionRoutes(deps: ApiDeps): ApiRouter {
  const { db, objects } = deps;
  const whole = async (access: ReturnType<typeof rowAccessOf>, id: string) =>
    inspectionView(found(await inspectionById(db, access, id), 'inspection'));

  return apiRouter()
    .openapi(draft, (c) =>
      idempotent(c, deps, async (id) => {
        const access = rowAccessOf(c);
        const rentalId = c.req.valid('param').id;
        found(await rentalById(db, access, rentalId), 'rental');
        const given = { ...c.req.valid('json'), id, rentalId };
        const { version } = await namingReferences(draftInspection(db, access, given));
        const headers = { ...etag(version), location: `/api/v1/inspections/${id}` };
        return { status: 201, body: await whole(access, id), headers };
      }),
    )
    .openapi(list, async (c) => {
      const { id } = c.req.valid('param');
      found(await rentalById(db, rowAccessOf(c), id), 'rental');
      const rows = await inspectionsOfRental(db, rowAccessOf(c), id);
      return c.json({ items: rows.map(summaryView) }, 200);
    })
    .openapi(read, async (c) => {
      const body = await whole(rowAccessOf(c), c.req.valid('param').id);
      return c.json(body, 200, etag(body.version));
    })
    .openapi(addFile, (c) =>
      idempotent(c, deps, async (id) => {
        const access = rowAccessOf(c);
        const inspectionId = c.req.valid('param').id;
        const { kind, panel = null } = c.req.valid('query');
        // Before anything is kept: a file of nobody's inspection would lie there for an hour.
        found(await inspectionById(db, access, inspectionId), 'inspection');
        const { bytes, mediaType } = await harmless(c);
        const sha256 = await putNoted(deps, access, bytes, mediaType);
        const file = { mediaType, sha256, sizeBytes: bytes.length };
        const given = { id, inspectionId, kind, panel, ...file };
        const row = await addInspectionFile(db, access, given);
        const location = `/api/v1/inspections/${inspectionId}/files/${id}/content`;
        return { status: 201, body: fileView(row), headers: { location } };
      }),
    )
    .openapi(content, async (c) => {
      const { id, fileId } = c.req.valid('param');
      const row = found(await inspectionFile(db, rowAccessOf(c), id, fileId), 'file');
      const bytes = await objects.get(row.sha256);
      return c.body(new Uint8Array(bytes), 200, contentHeaders(row));
    })
    .openapi(complete, (c) =>
      idempotent(c, deps, async () => {
        const access = rowAccessOf(c);
        const { id } = c.req.valid('param');
        const { version } = await completeInspection(db, access, id);
        return { status: 200, body: await whole(access, id), headers: etag(version) };
      }),
    );
}
