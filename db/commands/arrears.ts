// Arrears of long rentals: a cycle's invoice that is unpaid past its terms stops extensions.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { nextLookAt } from '../../domain/rental/billing.ts';
import type { RentalOutcome } from '../../domain/rental.ts';
import type { Tx } from '../client.ts';
import { publish } from '../outbox.ts';
import { type Recording, updateRental } from './rental-update.ts';

type Unpaid = { readonly payableBy: string; readonly openMinor: number };

/** Invoices of cycles that the books say are open, whoever pays them, the first to be due first. */
async function unpaidOf(tx: Tx, rentalId: string): Promise<readonly Unpaid[]> {
  const { rows } = await sql<Unpaid>`
    select d.payable_by as "payableBy", o.minor as "openMinor"
    from rentals.cycle_document d, accounting.open_amount(d.invoice_id) o (minor)
    where d.rental_id = ${rentalId} and o.minor > 0
    order by d.payable_by`.execute(tx);
  return rows;
}

/** Raises or lifts the flag, and says when to look again. A look that finds no news is no fact. */
export async function checkArrears(recording: Recording): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const unpaid = await unpaidOf(tx, row.id);
  const overdue = unpaid.filter(({ payableBy }) => payableBy <= at);
  const arrears = overdue.length > 0;
  const nextCheckAt = nextLookAt(at, unpaid);
  const looked = { type: 'arrearsChecked', at, reassigned: [], arrears, nextCheckAt } as const;
  if (arrears === row.arrears) return { ...looked, version: row.version };
  const version = await updateRental(recording, { arrears });
  await publish(tx, {
    type: 'forecourt.rental.arrears-changed.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      rentalId: row.id,
      branchId: row.branch_id,
      status: row.status,
      arrears,
      openMinor: overdue.reduce((sum, { openMinor }) => sum + openMinor, 0),
      currency: row.currency,
    },
  });
  return { ...looked, version };
}

/** The books decide, not the flag, which may be a day old: who has paid may stay. Throws `arrears`. */
export async function refuseInArrears({
  tx,
  row,
  at,
}: Pick<Recording, 'tx' | 'row' | 'at'>): Promise<void> {
  if (row.billing_cycle === null || row.status !== 'active') return;
  const overdue = (await unpaidOf(tx, row.id)).filter(({ payableBy }) => payableBy <= at);
  const [oldest] = overdue;
  if (oldest === undefined) return;
  throw new DomainError('arrears', 'An invoice of this rental is overdue: it is paid first.', {
    openMinor: overdue.reduce((sum, { openMinor }) => sum + openMinor, 0),
    currency: row.currency,
    since: oldest.payableBy,
  });
}
