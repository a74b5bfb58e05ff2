// Documents and photos of vehicles: taken, shown, withdrawn.
import { createRoute, z } from '@hono/zod-openapi';
import { addDocument, withdrawDocument } from '../../db/commands/vehicle-documents.ts';
import { documentById, listDocuments } from '../../db/queries/vehicle-records.ts';
import { vehicleById } from '../../db/queries/vehicles.ts';
import { DOCUMENT_MEDIA_TYPES, MAX_DOCUMENT_BYTES } from '../../domain/vehicle-document.ts';
import { secured } from '../auth/access.ts';
import { EVERYONE } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { fileBody } from '../middleware/upload.ts';
import { putNoted } from '../noted-files.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  DocumentDetails,
  DocumentList,
  documentView,
  fileContent,
  VehicleDocument,
  Withdrawal,
} from '../schemas/vehicle-documents.ts';
import { contentHeaders, harmless } from '../vehicle-files.ts';
import { etag } from '../versions.ts';

const tags = ['Vehicles'];
const params = z.object({ id: Id });
const documentParams = z.object({ id: Id, documentId: Id });
const READ = { scope: 'fleet:read', roles: EVERYONE } as const;

const add = createRoute({
  ...secured(
    {
      scope: 'fleet:write',
      roles: ['fleet-planner', 'branch-manager', 'technician', 'administrator'],
    },
    fileBody({ maxBytes: MAX_DOCUMENT_BYTES, mediaTypes: DOCUMENT_MEDIA_TYPES }),
  ),
  method: 'post',
  path: '/vehicles/{id}/documents',
  tags,
  summary: 'Add a document or photo, at most 10 MiB; its content must be what its type says',
  request: {
    params,
    headers: IdempotencyHeader,
    query: DocumentDetails,
    body: { required: true, content: fileContent },
  },
  responses: { 201: jsonAnswer('Added', VehicleDocument), ...problems },
});

const list = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/documents',
  tags,
  summary: 'The documents of a vehicle in order of arrival, withdrawn ones too',
  request: { params, query: DocumentList },
  responses: { 200: jsonAnswer('A page', pageOf(VehicleDocument)), ...problems },
});

const read = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/documents/{documentId}',
  tags,
  summary: 'What is known of one document',
  request: { params: documentParams },
  responses: { 200: jsonAnswer('The document', VehicleDocument), ...problems },
});

const content = createRoute({
  ...secured(READ),
  method: 'get',
  path: '/vehicles/{id}/documents/{documentId}/content',
  tags,
  summary: 'The file itself; of a withdrawn document too',
  request: { params: documentParams },
  responses: { 200: { description: 'The file', content: fileContent }, ...problems },
});

const withdraw = createRoute({
  ...secured(
    { scope: 'fleet:write', roles: ['fleet-planner', 'branch-manager', 'administrator'] },
    jsonBody,
  ),
  method: 'post',
  path: '/vehicles/{id}/documents/{documentId}/withdraw',
  tags,
  summary: 'It counts no more and stays on file; 409 for the last dated paper of its kind',
  request: { params: documentParams, headers: IdempotencyHeader, body: jsonRequest(Withdrawal) },
  responses: { 200: jsonAnswer('As it is now', VehicleDocument), ...problems },
});

export function vehicleDocumentRoutes(deps: ApiDeps): ApiRouter {
  const { db, objects } = deps;
  return apiRouter()
    .openapi(add, (c) =>
      idempotent(c, deps, async (documentId) => {
        const vehicleId = c.req.valid('param').id;
        const details = c.req.valid('query');
        const access = rowAccessOf(c);
        found(await vehicleById(db, access, vehicleId), 'vehicle');
        const { bytes, mediaType } = await harmless(c);
        const sha256 = await putNoted(deps, access, bytes, mediaType);
        const file = { mediaType, sha256, sizeBytes: bytes.length };
        const row = await addDocument(db, access, {
          ...details,
          ...file,
          id: documentId,
          vehicleId,
        });
        const location = `/api/v1/vehicles/${vehicleId}/documents/${documentId}`;
        return {
          status: 201,
          body: documentView(row),
          headers: { ...etag(row.version), location },
        };
      }),
    )
    .openapi(list, async (c) => {
      const { cursor: after, limit } = c.req.valid('query');
      const access = rowAccessOf(c);
      const vehicleId = c.req.valid('param').id;
      found(await vehicleById(db, access, vehicleId), 'vehicle');
      const documents = await listDocuments(db, access, { vehicleId, after, limit });
      return c.json(
        page(documents, (row) => row.id, documentView),
        200,
      );
    })
    .openapi(read, async (c) => {
      const { id, documentId } = c.req.valid('param');
      const row = found(await documentById(db, rowAccessOf(c), id, documentId), 'document');
      return c.json(documentView(row), 200, etag(row.version));
    })
    .openapi(content, async (c) => {
      const { id, documentId } = c.req.valid('param');
      const row = found(await documentById(db, rowAccessOf(c), id, documentId), 'document');
      const bytes = await objects.get(row.sha256);
      return c.body(new Uint8Array(bytes), 200, contentHeaders(row));
    })
    .openapi(withdraw, (c) =>
      idempotent(c, deps, async () => {
        const { id: vehicleId, documentId } = c.req.valid('param');
        const { reason } = c.req.valid('json');
        const by = { vehicleId, documentId, reason };
        const row = await withdrawDocument(db, rowAccessOf(c), by);
        return { status: 200, body: documentView(row), headers: etag(row.version) };
      }),
    );
}
