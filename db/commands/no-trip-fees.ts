// What a rental costs that does not take place: a fee with a document of its own, or nothing.
import { sql } from 'kysely';
import { clockOf } from '../../domain/calendar.ts';
import { cancellationPostings } from '../../domain/ledger.ts';
import type { Minor } from '../../domain/money.ts';
import { cancellationFee, feeAmounts, noShowFee } from '../../domain/pricing.ts';
import { type Cancel, type FeeCharged, isCharged } from '../../domain/rental.ts';
import { issueInvoice } from './accounting.ts';
import { asked } from './calendar.ts';
import { depositorOf, payerSharesOf, primaryPayer } from './payer-documents.ts';
import { forfeitDeposit } from './payment-entries.ts';
import { type Recording, ratingOf } from './rental-update.ts';

type GivenUp = ({ readonly type: 'cancel' } & Cancel) | { readonly type: 'noShow' };
/** `code` is the line that the fee is on. */
export type Fee = { readonly code: 'cancellation' | 'no-show'; readonly grossMinor: Minor };

const DAY_MS = 86_400_000;

/**
 * Gross, by the plan that was booked (decisions.md 18). After the pick-up time whoever cancels did
 * not show up either. Nothing for what was only requested, for reasons that are not the renter's, and
 * by a plan without such terms; nor for not showing up where no vehicle was there. Who cancels in
 * time pays the fee of the plan, vehicle or not.
 */
export async function feeFor(
  { tx, row, at }: Recording,
  command: GivenUp,
  hadVehicle: boolean,
): Promise<Fee | null> {
  // Whoever began at the counter gave nothing up that was kept for him.
  if (row.status === 'requested' || row.walk_up) return null;
  if (command.type === 'cancel' && !isCharged(command.reason)) return null;
  const pickUpAt = row.pick_up_at;
  const dayLater = new Date(Date.parse(pickUpAt) + DAY_MS).toISOString();
  const { rating, zone } = await ratingOf(tx, row, row.due_at);
  const { plan, booked } = rating;
  const early = command.type === 'cancel' ? cancellationFee(plan, booked, pickUpAt, at) : null;
  if (early !== null) return { code: 'cancellation', grossMinor: early };
  if (plan.cancellation === undefined || !hadVehicle) return null;
  const { rate, utilisationBp } = booked.chosen ?? {};
  const clock = clockOf(zone, pickUpAt, dayLater);
  const grossMinor = noShowFee({ plan, pickUpAt, clock, rate, utilisationBp }, booked);
  return { code: 'no-show', grossMinor };
}

/**
 * Issues its invoice to the primary payer, paid out of that one's deposit; call it last, as
 * `issueInvoice`. Null for a fee of nothing.
 */
export async function chargeFee(
  { tx, row, at }: Recording,
  fee: Fee | null,
): Promise<FeeCharged | null> {
  if (fee === null || fee.grossMinor === 0) return null;
  const { code, grossMinor } = fee;
  const vatClass = await asked<string>(tx, sql`accounting.cancellation_vat(${row.entity_id})`);
  const vatRateBp = vatClass === 'compensation' ? 0 : rateOf(row.price.vat);
  const amounts = { currency: row.currency, ...feeAmounts(grossMinor, vatRateBp) };
  const { netMinor } = amounts;
  // A no-show who was reinstated, and credited, may fail to come once more.
  const key = `rental/${row.id}/${code}-fee/${row.version}`;
  const { currency } = row;
  const customerId = await primaryPayer(tx, row);
  const primary = (await payerSharesOf(tx, row.id)).find(({ isPrimary }) => isPrimary);
  const depositor = await depositorOf(tx, row);
  const deposit = { key: `${key}/deposit`, rentalId: row.id, currency, at, customerId: depositor };
  const line = { code: `fee.${code}`, quantity: 1, unitMinor: netMinor, netMinor, vatRateBp };
  const { invoiceId, number: invoiceNumber } = await forfeitDeposit(tx, deposit, () =>
    issueInvoice(tx, {
      key,
      entityId: row.entity_id,
      branchId: row.branch_id,
      rentalId: row.id,
      customerId,
      paymentDays: primary?.paymentDays,
      serviceFrom: at,
      serviceTo: at,
      quote: { ...amounts, lines: [line] },
      posting: { source: `rental.${code}-fee`, postings: cancellationPostings(amounts) },
    }),
  );
  return { feeMinor: grossMinor, invoiceId, invoiceNumber };
}

/** That of the hire, which is the first line of every price. */
function rateOf([hire]: Recording['row']['price']['vat']): number {
  return hire?.rateBp ?? 0;
}
