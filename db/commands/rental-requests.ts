// Rentals on request: asked for when a pool is full, and confirmed, declined or expired later.
import { sql } from 'kysely';
import { awaitedUntil } from '../../domain/rental/delay.ts';
import type {
  Confirm,
  Decline,
  RentalOutcome,
  RentalRequest,
  RentalState,
} from '../../domain/rental.ts';
import { decideRequest } from '../../domain/rental-term.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import { type RentalRow, rentalState } from '../rental-row.ts';
import { recordAudit } from './audit.ts';
import { recordOverrides } from './booking-overrides.ts';
import { bookingRules } from './booking-rules.ts';
import { asked, refuseUnknown } from './calendar.ts';
import type { BranchTerms } from './calendar-booking.ts';
import { agree, insertRental } from './new-rental.ts';
import type { Placing } from './placing.ts';
import { type Recording, updateRental } from './rental-update.ts';

type Terms = BranchTerms & { readonly answerBy: string; readonly unknown: string | null };

/**
 * Step 4 of decisions.md 1: a rental that waits for a person's answer and takes neither vehicle nor
 * place. Its price is today's and stays. Null where the class is not on request.
 */
export function requestRental(
  db: Db,
  principal: string,
  request: RentalRequest,
): Promise<RentalState | null> {
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const terms = await termsOf(tx, request);
    if (terms === null) return null;
    refuseUnknown(terms.unknown);
    decideRequest(request, new Date().toISOString());
    const answerBy = new Date(terms.answerBy).toISOString();
    const { price, noShowAt } = await agree(tx, request, terms);
    const row = await insertRental(tx, request, { ...terms, noShowAt, answerBy }, price);
    const state = rentalState(row, null);
    await publish(tx, {
      type: 'forecourt.rental.requested.v1',
      aggregateId: state.id,
      sequence: state.version,
      data: {
        ...fact(row, 'requested'),
        number: state.number,
        customerId: state.customerId,
        classId: state.classId,
        pickUpAt: state.pickUpAt,
        dueAt: state.dueAt,
        answerBy,
        totalMinor: price.totalMinor,
        currency: price.currency,
      },
    });
    await recordAudit(tx, {
      action: 'rental.request',
      subjectType: 'rental',
      subjectId: state.id,
      commandId: state.id,
      after: { ...request, answerBy, totalMinor: price.totalMinor },
    });
    return state;
  });
}

function termsOf(tx: Tx, request: RentalRequest): Promise<Terms | null> {
  const { classId, branchId, returnBranchId, pickUpAt } = request;
  return asked<Terms | null>(
    tx,
    sql`vehicles.request_terms(${classId}, ${branchId}, ${returnBranchId ?? branchId},
      ${pickUpAt})`,
  );
}

/** What was asked for, as the steps of a reservation take it. */
export function requestOf(row: RentalRow, { override }: Confirm): RentalRequest {
  return {
    id: row.id,
    branchId: row.branch_id,
    returnBranchId: row.return_branch_id,
    classId: row.class_id,
    customerId: row.customer_id,
    pickUpAt: row.pick_up_at,
    dueAt: row.due_at,
    override,
  };
}

/**
 * Books it at the price that was told, with the vehicle or the place that `placing` gets. Stop-sell
 * rules and hours are those of now. Throws `vehicle-unavailable`, `stop-sell`, `branch-closed`.
 */
export async function confirmRental(
  recording: Recording,
  command: Confirm,
  placing: Placing,
): Promise<RentalOutcome> {
  const { tx, row, at } = recording;
  const request = requestOf(row, command);
  const { vehicleId, noShowGraceMinutes, moved: reassigned = [] } = await placing(tx, request);
  const rules = await bookingRules(tx, request);
  const awaited = { delayMinutes: row.delay_minutes, dueAt: row.due_at };
  const noShowAt = awaitedUntil(rules.noShowAt, noShowGraceMinutes, awaited);
  const version = await updateRental(recording, { status: 'reserved', no_show_at: noShowAt });
  await recordOverrides(tx, request, rules.overridden);
  await publish(tx, {
    type: 'forecourt.rental.confirmed.v1',
    aggregateId: row.id,
    sequence: version,
    data: {
      ...fact(row, 'reserved'),
      classId: row.class_id,
      vehicleId,
      pickUpAt: row.pick_up_at,
      dueAt: row.due_at,
    },
  });
  return { type: 'confirmed', at, version, reassigned, vehicleId, noShowAt };
}

/** Declined by a person, or by nobody's answer: it kept nothing, so nothing becomes free. */
export async function endRequest(
  recording: Recording,
  command: ({ readonly type: 'decline' } & Decline) | { readonly type: 'expire' },
): Promise<RentalOutcome> {
  const { row, at, tx } = recording;
  const status = command.type === 'decline' ? 'declined' : 'expired';
  const version = await updateRental(recording, { status });
  const told = { aggregateId: row.id, sequence: version } as const;
  const data = fact(row, status);
  if (command.type === 'decline') {
    const { reason } = command;
    await publish(tx, {
      ...told,
      type: 'forecourt.rental.declined.v1',
      data: { ...data, reason },
    });
  } else {
    const answerBy = row.answer_by ?? row.pick_up_at;
    await publish(tx, {
      ...told,
      type: 'forecourt.rental.expired.v1',
      data: { ...data, answerBy },
    });
  }
  return { type: status, at, version, reassigned: [] };
}

function fact(row: RentalRow, status: string) {
  return { rentalId: row.id, branchId: row.branch_id, status };
}
