// Documents for people: the rental agreement of each version, and invoices, as PDF.
import { createRoute, z } from '@hono/zod-openapi';
import { keepAgreementFile } from '../../db/commands/agreements.ts';
import { keepInvoiceFile } from '../../db/commands/invoice-files.ts';
import { type InvoiceDocument, invoiceById } from '../../db/queries/accounting.ts';
import { agreementData, agreementFile, agreementVersion } from '../../db/queries/agreements.ts';
import { invoiceFile, invoiceNames } from '../../db/queries/invoice-names.ts';
import { agreementPdf } from '../../documents/agreement.ts';
import { invoicePdf } from '../../documents/invoice.ts';
import { type DocumentLanguage, documentLanguage, LANGUAGES } from '../../documents/words.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { putNoted } from '../noted-files.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, problems } from '../schemas/common.ts';

const params = z.object({ id: Id });
const roles = [...COUNTER, ...BOOKS, 'auditor'] as const;
const language = z.enum(LANGUAGES).optional().openapi({
  description: 'Left out, that of the customer',
});
const PDF = 'application/pdf';
const WRITER = 'system:documents';
const pdf = {
  description: 'The document',
  content: { [PDF]: { schema: z.string().openapi({ type: 'string', format: 'binary' }) } },
};

const agreement = createRoute({
  ...secured({ scope: 'rentals:read', roles, customers: 'own' }),
  method: 'get',
  path: '/rentals/{id}/agreement',
  tags: ['Rentals'],
  summary: 'The agreement as PDF: of the hand-over, or of a change since; 404 before it',
  request: {
    params,
    query: z.strictObject({
      version: z.coerce.number().int().min(1).max(100_000).optional().openapi({
        description: 'Left out, the newest',
      }),
      language,
    }),
  },
  responses: { 200: pdf, ...problems },
});

const invoice = createRoute({
  ...secured({ scope: 'accounting:read', roles, customers: 'own' }),
  method: 'get',
  path: '/invoices/{id}/pdf',
  tags: ['Accounting'],
  summary: 'The invoice or credit note as PDF',
  request: { params, query: z.strictObject({ language }) },
  responses: { 200: pdf, ...problems },
});

export function documentRoutes(deps: ApiDeps): ApiRouter {
  const { db, objects } = deps;
  return apiRouter()
    .openapi(agreement, async (c) => {
      const { id } = c.req.valid('param');
      const asked = c.req.valid('query');
      const known = found(
        await agreementVersion(db, rowAccessOf(c), id, asked.version),
        'agreement',
      );
      const tongue = asked.language ?? documentLanguage(known.language);
      const bytes = await agreementBytes(id, known.version, tongue);
      const name = `agreement-${id}-${known.version}-${tongue}.pdf`;
      return c.body(new Uint8Array(bytes), 200, headersOf(name));
    })
    .openapi(invoice, async (c) => {
      const { id } = c.req.valid('param');
      const shown = found(await invoiceById(db, rowAccessOf(c), id), 'invoice');
      const { bytes, tongue } = await invoiceBytes(shown, c.req.valid('query').language);
      return c.body(new Uint8Array(bytes), 200, headersOf(`invoice-${id}-${tongue}.pdf`));
    });

  /** As agreements are: what a customer was handed once stays, whatever they are called since. */
  async function invoiceBytes(
    shown: InvoiceDocument,
    asked: DocumentLanguage | undefined,
  ): Promise<{ readonly bytes: Uint8Array; readonly tongue: DocumentLanguage }> {
    const { id: invoiceId, customerId } = shown;
    const kept = await invoiceFile(db, invoiceId, asked);
    if (kept !== undefined) return { bytes: await objects.get(kept.sha256), tongue: kept.language };
    const names = found(await invoiceNames(db, invoiceId), 'invoice');
    const tongue = asked ?? documentLanguage(names.language);
    const bytes = await invoicePdf({ ...shown, ...names }, tongue);
    const sha256 = await putNoted(deps, WRITER, bytes, PDF);
    const file = { ...names, invoiceId, customerId, language: tongue, sha256 };
    const first = await keepInvoiceFile(db, { ...file, sizeBytes: bytes.length });
    if (first === undefined) return invoiceBytes(shown, asked);
    return { bytes: first.sha256 === sha256 ? bytes : await objects.get(first.sha256), tongue };
  }

  /** Written when it is first asked for, from rows of the hand-over, and the same ever after. */
  async function agreementBytes(
    rentalId: string,
    version: number,
    tongue: DocumentLanguage,
  ): Promise<Uint8Array> {
    const kept = await agreementFile(db, rentalId, version, tongue);
    if (kept !== undefined) return objects.get(kept.sha256);
    const data = found(await agreementData(db, rentalId, version), 'agreement');
    const bytes = await agreementPdf(data, tongue);
    const sha256 = await putNoted(deps, WRITER, bytes, PDF);
    const file = { rental_id: rentalId, version, language: tongue, sha256 };
    const names = [data.renter, ...(data.payer === null ? [] : [data.payer]), ...data.drivers];
    const first = await keepAgreementFile(db, { ...file, names, sizeBytes: bytes.length });
    // Somebody was erased meanwhile: it is written again, without the name.
    if (first === undefined) return agreementBytes(rentalId, version, tongue);
    return first.sha256 === sha256 ? bytes : objects.get(first.sha256);
  }
}

/** It names persons, so nobody on the way keeps it. */
function headersOf(name: string): Readonly<Record<string, string>> {
  return {
    'content-type': PDF,
    'content-disposition': `attachment; filename="${name}"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
  };
}
