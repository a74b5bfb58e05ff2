// Who pays a rental: shares are set as a whole until the vehicle is back.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { cycleCode } from '../../domain/payer-cycles.ts';
import { coveredBy, type PayerShare } from '../../domain/payer-share.ts';
import type { Quote } from '../../domain/pricing.ts';
import { isBilledInCycles } from '../../domain/rental/billing.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';
import { asked } from './calendar.ts';
import { assertCredit } from './credit-exposure.ts';
import { payerSharesOf } from './payer-documents.ts';

export type PayerSplit = {
  readonly rentalId: string;
  readonly version: number;
  readonly shares: readonly PayerShare[];
};

/**
 * `version` is the one that the caller knows, null where no shares were set yet; cycles that were
 * billed stay. Longer terms than a payer has anyway are the caller's to grant up to `grantableDays`.
 * Throws `not-found` for an unknown rental or payer, `version-conflict`, `invalid-state` once it is
 * back, `value-refused` for shares that are more than the whole or leave a rest, `credit-limit` for a
 * share beyond what its payer may owe, `limit-exceeded` for its terms.
 */
export async function setPayers(
  db: Db,
  acting: Acting,
  { rentalId, shares }: Omit<PayerSplit, 'version'>,
  version: number | null,
  grantableDays = 0,
): Promise<PayerSplit> {
  try {
    return await transact(db, 'rentals_rw', acting, async (tx) => {
      const branchId = await changeable(tx, rentalId, shares);
      await checkTerms(tx, rentalId, shares, grantableDays);
      return splitBetween(tx, { rentalId, branchId, shares }, version);
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/**
 * The same, in the transaction of whoever changes the rental, and so has locked it. A voucher covers
 * what its lines cost now, unless the caller says what, or it is the same as before: that stays.
 */
export async function splitBetween(
  tx: Tx,
  { rentalId, branchId, shares }: Omit<PayerSplit, 'version'> & { readonly branchId: string },
  version: number | null,
): Promise<PayerSplit> {
  const coveredOf = await coverages(tx, rentalId, shares);
  const next = await nextVersion(tx, rentalId, version);
  for (const [index, share] of shares.entries()) {
    await sql`insert into rentals.payer_share (rental_id, version, position, payer_id, kind,
        covers, percent_bp, voucher_net_minor, covered_minor, payment_days, is_primary)
      values (${rentalId}, ${next}, ${index + 1}, ${share.payerId}, ${share.kind},
        ${sql.val(share.covers)}, ${share.percentBp}, ${share.voucherNetMinor},
        ${coveredOf(share)}, ${share.paymentDays ?? null}, ${share.isPrimary})`.execute(tx);
  }
  await assertCredit(tx, rentalId);
  const payers = shares.length;
  await publish(tx, {
    type: 'forecourt.payers.set.v1',
    aggregateId: codeAggregate('payers', rentalId),
    sequence: next,
    data: { rentalId, branchId, payers },
  });
  await recordAudit(tx, {
    ...{ action: 'rental.set-payers', subjectType: 'rental', subjectId: rentalId },
    after: { version: next, shares },
  });
  return { rentalId, version: next, shares };
}

async function coverages(tx: Tx, rentalId: string, shares: readonly PayerShare[]) {
  const { lines } = await asked<Pick<Quote, 'lines'>>(
    tx,
    sql`(select price from rentals.rental where id = ${rentalId})`,
  );
  const before = await payerSharesOf(tx, rentalId);
  return (share: PayerShare): number | null => {
    if (share.kind !== 'voucher') return null;
    const same = before.find((one) => isSame(one, share));
    const known = share.coveredMinor ?? same?.coveredMinor;
    if (same !== undefined || typeof known === 'number') return known ?? null;
    const coveredMinor = coveredBy(lines, share, shares);
    return coveredMinor > 0 ? coveredMinor : null;
  };
}

function isSame(one: PayerShare, other: PayerShare): boolean {
  return (
    one.payerId === other.payerId &&
    one.voucherNetMinor === other.voucherNetMinor &&
    one.covers.join() === other.covers.join()
  );
}

type Changeable = { readonly branchId: string; readonly status: string } & {
  readonly cycle: string | null;
  readonly pickUpAt: string;
  readonly dueAt: string;
};

/** Answers its branch. The row is locked, so that it does not come back meanwhile. */
async function changeable(
  tx: Tx,
  rentalId: string,
  shares: readonly PayerShare[],
): Promise<string> {
  const { rows } = await sql<Changeable>`select branch_id as "branchId", status,
      billing_cycle as cycle, pick_up_at as "pickUpAt", due_at as "dueAt"
    from rentals.rental where id = ${rentalId} for update`.execute(tx);
  const [rental] = rows;
  if (rental === undefined) throw new DomainError('not-found', 'There is no such rental.');
  const { status: rentalStatus, branchId, cycle } = rental;
  if (!['requested', 'reserved', 'active'].includes(rentalStatus)) {
    throw new DomainError('invalid-state', 'Its payers are set before it is back.', {
      rentalStatus,
    });
  }
  const isPartOfTime = (code: string) => code !== 'time' && cycleCode(code) === 'time';
  if (!isBilledInCycles(cycle, rental)) return branchId;
  if (!shares.some(({ covers }) => covers.some(isPartOfTime))) return branchId;
  throw new DomainError('value-refused', 'In cycles the time is one: cover all of it, or none.', {
    field: 'covers',
  });
}

/** What a payer has anyway, or was granted for this rental before, may be said again by anybody. */
async function checkTerms(
  tx: Tx,
  rentalId: string,
  shares: readonly PayerShare[],
  grantableDays: number,
): Promise<void> {
  const before = await payerSharesOf(tx, rentalId);
  for (const { payerId, paymentDays } of shares) {
    if (!paymentDays || paymentDays <= grantableDays) continue;
    const own = await asked<number | null>(tx, sql`rentals.payment_days_of(${payerId})`);
    const granted = before.find((share) => share.payerId === payerId)?.paymentDays;
    const limitDays = Math.max(grantableDays, own ?? 0, granted ?? 0);
    if (paymentDays <= limitDays) continue;
    const message = 'Such terms of payment are above your limit.';
    throw new DomainError('limit-exceeded', message, { paymentTermsDays: limitDays });
  }
}

async function nextVersion(tx: Tx, rentalId: string, known: number | null): Promise<number> {
  const { rows } = await sql<{ version: number }>`insert into rentals.payer_split as p (rental_id)
    values (${rentalId})
    on conflict (rental_id) do update set version = p.version + 1, updated_at = now()
      where p.version = ${known}
    returning version`.execute(tx);
  const version = rows[0]?.version;
  if (version === (known ?? 0) + 1) return version;
  throw new DomainError('version-conflict', 'The payers were changed meanwhile: read them again.');
}

/** Undefined where none were set. */
export async function payersOf(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<PayerSplit | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<{ version: number }>`select version from rentals.payer_split
      where rental_id = ${rentalId}`.execute(tx);
    const version = rows[0]?.version;
    if (version === undefined) return undefined;
    return { rentalId, version, shares: await payerSharesOf(tx, rentalId) };
  });
}

const WRONG_WHOLE = 'One payer has the rest, and the shares are no more than the whole.';

function refusalOf(error: unknown): unknown {
  const { constraint } = error as { readonly constraint?: string };
  switch (constraint) {
    case 'payer_share_payer_id_fkey':
    case 'rental_on_one_side':
      return new DomainError('not-found', 'There is no such payer.', { of: 'payer' });
    case 'payer_share_one_document':
      return new DomainError('value-refused', 'Each payer has one share.', { field: 'payerId' });
    case 'payer_share_whole':
    case 'payer_share_one_primary':
    case 'payer_share_primary_has_the_rest':
    case 'payer_share_pays_something':
    case 'payer_share_voucher':
      return new DomainError('value-refused', WRONG_WHOLE, { field: 'shares' });
    default:
      return error;
  }
}
