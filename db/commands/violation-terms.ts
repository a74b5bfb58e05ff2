// What an entity charges for tolls and fines, and renters' consents to charges that come later.
import { type Selectable, sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { WINDOW_DAYS } from '../../domain/late-charge.ts';
import type { ViolationTerms } from '../../domain/violation-charge.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { ViolationTermsRow } from '../queries/violations.ts';
import type { RentalsDelayedChargeConsent } from '../schema.ts';
import { recordAudit } from './audit.ts';

export type NewViolationTerms = ViolationTerms & {
  readonly entityId: string;
  /** The legal entity's name and address, at the head of its letters. */
  readonly sender: string;
};

/**
 * Replaces an entity's terms; `version` is the one known, 0 for none. Throws `version-conflict` when
 * it is not the newest.
 */
export function setViolationTerms(
  db: Db,
  acting: Acting,
  version: number,
  terms: NewViolationTerms,
): Promise<ViolationTermsRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const { rows } = await sql<ViolationTermsRow>`
      insert into rentals.violation_terms as t (entity_id, currency, fine_fee_minor,
        toll_fee_minor, vat_rate_bp, toll_treatment, card_window_days, sender)
      select ${terms.entityId}, ${terms.currency}, ${terms.fineFeeMinor}::bigint,
        ${terms.tollFeeMinor}::bigint, ${terms.vatRateBp}::int, ${terms.tollTreatment},
        ${terms.cardWindowDays}::int, ${terms.sender}
      where ${version}::int = 0
        or exists (select from rentals.violation_terms where entity_id = ${terms.entityId})
      on conflict (entity_id) do update set currency = excluded.currency,
        fine_fee_minor = excluded.fine_fee_minor, toll_fee_minor = excluded.toll_fee_minor,
        vat_rate_bp = excluded.vat_rate_bp, toll_treatment = excluded.toll_treatment,
        card_window_days = excluded.card_window_days, sender = excluded.sender,
        version = t.version + 1, updated_at = now()
      where t.version = ${version}
      returning *`.execute(tx);
    const row = rows[0];
    if (row === undefined) {
      throw new DomainError('version-conflict', 'Somebody changed it meanwhile.');
    }
    const { entityId, sender: _, ...after } = terms;
    const subject = { subjectType: 'violation_terms', subjectId: entityId } as const;
    await recordAudit(tx, { action: 'violation-terms.set', ...subject, after });
    return row;
  });
}

export type ConsentRow = Selectable<RentalsDelayedChargeConsent>;

/**
 * The renter has agreed in writing to be charged later; once a rental. Throws `duplicate` for another
 * instant than the first, `value-refused` for one to come, `not-found` for no rental in sight.
 */
export function recordConsent(
  db: Db,
  acting: Acting,
  rentalId: string,
  consentedAt: string,
): Promise<ConsentRow> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    if (Date.parse(consentedAt) > Date.now()) {
      throw new DomainError('value-refused', 'A consent was given already, not in the future.');
    }
    const rental = await sql`select from rentals.rental where id = ${rentalId}`.execute(tx);
    if (rental.rows.length === 0) throw new DomainError('not-found', 'There is no such rental.');
    const row = await consentGiven(tx, rentalId, consentedAt);
    if (row === undefined || Date.parse(row.consented_at) !== Date.parse(consentedAt)) {
      throw new DomainError('duplicate', 'Another consent is on file.', { rentalId });
    }
    return row;
  });
}

/**
 * To the terms of now, whose window holds for this rental from then on; the first consent stays.
 * Whoever acts in the transaction took it.
 */
export async function consentGiven(
  tx: Tx,
  rentalId: string,
  consentedAt: string,
): Promise<ConsentRow | undefined> {
  const { rows } = await sql<ConsentRow>`
    insert into rentals.delayed_charge_consent (rental_id, consented_at, window_days)
    select r.id, ${consentedAt}, coalesce(t.card_window_days, ${WINDOW_DAYS}::int)
    from rentals.rental r left join rentals.violation_terms t on t.entity_id = r.entity_id
    where r.id = ${rentalId} on conflict do nothing returning *`.execute(tx);
  const [fresh] = rows;
  if (fresh === undefined) return (await consentOf(rentalId).execute(tx)).rows[0];
  const subject = { subjectType: 'rental', subjectId: rentalId } as const;
  const after = { consentedAt, windowDays: fresh.window_days };
  await recordAudit(tx, { action: 'rental.delayed-charge-consent', ...subject, after });
  return fresh;
}

/** What was agreed to with keys that came back at once is agreed to no more; before it, it stays. */
export async function endConsent(
  tx: Tx,
  rentalId: string,
  checkedOutAt: string | null,
): Promise<void> {
  const { rows } = await sql<ConsentRow>`delete from rentals.delayed_charge_consent
    where rental_id = ${rentalId} and consented_at = ${checkedOutAt} returning *`.execute(tx);
  const [ended] = rows;
  if (ended === undefined) return;
  const subject = { subjectType: 'rental', subjectId: rentalId } as const;
  const before = { consentedAt: ended.consented_at, windowDays: ended.window_days };
  await recordAudit(tx, { action: 'rental.delayed-charge-consent-ended', ...subject, before });
}

function consentOf(rentalId: string) {
  return sql<ConsentRow>`select * from rentals.delayed_charge_consent
    where rental_id = ${rentalId}`;
}
