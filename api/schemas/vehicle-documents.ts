// Documents and photos of vehicles as they are told and shown.
import { z } from '@hono/zod-openapi';
import type { DocumentRow } from '../../db/commands/vehicle-documents.ts';
import { DOCUMENT_KINDS, DOCUMENT_MEDIA_TYPES } from '../../domain/vehicle-document.ts';
import { Id, pageQuery, text, UtcInstant } from './common.ts';
import { LocalDate } from './vehicle-data.ts';

export const VehicleDocument = z
  .object({
    id: Id,
    vehicleId: Id,
    kind: z.string().openapi({ enum: [...DOCUMENT_KINDS] }),
    mediaType: z.string().openapi({ enum: [...DOCUMENT_MEDIA_TYPES] }),
    sha256: z.string().openapi({ description: 'Of the content as it is kept' }),
    sizeBytes: z.int(),
    validFrom: z.string().nullable(),
    expiresOn: z.string().nullable().openapi({ description: 'The last day on which it is good' }),
    uploadedBy: z.string(),
    uploadedAt: UtcInstant,
    withdrawnAt: z.string().nullable(),
    withdrawnBy: z.string().nullable(),
    withdrawReason: z.string().nullable(),
    version: z.int(),
  })
  .openapi('VehicleDocument');

/** Beside the file, which is the body. */
export const DocumentDetails = z
  .strictObject({
    kind: z.enum(DOCUMENT_KINDS),
    validFrom: LocalDate.optional(),
    expiresOn: LocalDate.optional(),
  })
  .refine(({ validFrom, expiresOn }) => !validFrom || !expiresOn || validFrom <= expiresOn, {
    message: 'must not lie before validFrom',
    path: ['expiresOn'],
  });

const file = z.string().openapi({ type: 'string', format: 'binary' });

/** One schema a media type; all of them take the bytes as they are. */
export const fileContent = Object.fromEntries(
  DOCUMENT_MEDIA_TYPES.map((type) => [type, { schema: file }]),
);

export const DocumentList = z.strictObject(pageQuery(Id));

export const Withdrawal = z
  .strictObject({ reason: text(500).openapi({ description: 'For the audit log' }) })
  .openapi('VehicleDocumentWithdrawal');

export function documentView(row: DocumentRow) {
  return {
    id: row.id,
    vehicleId: row.vehicle_id,
    kind: row.kind,
    mediaType: row.media_type,
    sha256: row.sha256,
    sizeBytes: row.size_bytes,
    validFrom: row.valid_from,
    expiresOn: row.expires_on,
    uploadedBy: row.uploaded_by,
    uploadedAt: row.uploaded_at,
    withdrawnAt: row.withdrawn_at,
    withdrawnBy: row.withdrawn_by,
    withdrawReason: row.withdraw_reason,
    version: row.version,
  };
}
