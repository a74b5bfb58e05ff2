// What each command changes of a damage case's row, and what it takes of limits and books.
import { sql } from 'kysely';
import type { Actor } from '../../domain/actor.ts';
import {
  type CaseCommand,
  type CaseState,
  type Claim,
  type Dispute,
  type Estimate,
  hoursAfter,
  type Waive,
} from '../../domain/damage-case.ts';
import { damageCharge, lossOf, type VatClass } from '../../domain/damage-charge.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Quote } from '../../domain/pricing.ts';
import type { Coverage } from '../../domain/rate-plan-terms.ts';
import type { Tx } from '../client.ts';
import { type DamageParty, issueDamageDocument, postInsurerShare } from './damage-documents.ts';
import { askLateCharge } from './late-charges.ts';

type Change = Readonly<Record<string, string | number | boolean | null>>;

/** A command of people ends what they were waited for. */
const ANSWERED = { attention: null } as const;

export async function changeOf(
  tx: Tx,
  state: CaseState,
  command: CaseCommand,
  actor: Actor,
): Promise<Change> {
  switch (command.type) {
    case 'estimate':
      return estimated(tx, state, command);
    case 'agree':
      return { ...ANSWERED, status: 'agreed' };
    case 'dispute':
      return disputed(tx, state, command);
    case 'charge':
      return charged(tx, state);
    case 'waive':
      await takeFromLimit(tx, state, command, actor);
      return {
        ...ANSWERED,
        status: 'waived',
        waive_reason: command.reason,
        approval_id: command.approvalId,
      };
    case 'claim':
      return claimed(tx, state, command);
    case 'markRepaired': {
      const { at } = await termsOf(tx, state);
      return { repaired_at: at, held: false };
    }
    case 'settle':
      return { status: 'settled', held: false };
    case 'markDue':
      return { attention: state.status === 'reported' ? 'estimate-due' : 'answer-due' };
    default:
      return command satisfies never;
  }
}

async function estimated(tx: Tx, state: CaseState, estimate: Estimate): Promise<Change> {
  const { repairMinor, lossOfUseMinor, adminMinor, diminutionMinor } = estimate;
  const { exclusion, workOrderRef } = estimate;
  const loss = { repairMinor, lossOfUseMinor, adminMinor, diminutionMinor };
  const { price, given, at, answerHours, ...rule } = await termsOf(tx, state);
  const terms = { ...rule, excessMinor: excessOf(price, given), exclusion };
  const charge = damageCharge(loss, terms);
  return {
    ...ANSWERED,
    status: 'estimated',
    loss: JSON.stringify(loss),
    loss_minor: lossOf(loss),
    exclusion,
    charge: JSON.stringify(charge),
    charge_minor: charge.totalMinor,
    charge_net_minor: charge.netMinor,
    work_order_ref: workOrderRef,
    answer_due_at: hoursAfter(at, answerHours),
  };
}

/** From now on the renter waits for our answer. */
async function disputed(tx: Tx, state: CaseState, { reason }: Dispute): Promise<Change> {
  const { at, answerHours } = await termsOf(tx, state);
  const answer_due_at = hoursAfter(at, answerHours);
  return { ...ANSWERED, status: 'disputed', dispute_reason: reason, answer_due_at };
}

/**
 * Of several waivers the one that leaves the renter least; null when none was bought. What the class of
 * a vehicle that a swap gave has another excess for, counts with that (decisions.md 30).
 */
function excessOf({ lines }: Quote, given: Given): number | null {
  const excesses = lines.flatMap(({ code, basis }) => {
    const ofGiven = given?.find((one) => `coverage.${one.code}` === code);
    const { excessMinor } = ofGiven ?? ((basis ?? {}) as { readonly excessMinor?: number });
    return code.startsWith('coverage.') && excessMinor !== undefined ? [excessMinor] : [];
  });
  return excesses.length === 0 ? null : Math.min(...excesses);
}

async function charged(tx: Tx, state: CaseState): Promise<Change> {
  if (state.charge === null) throw new Error(`Damage case ${state.id} has no estimate.`);
  const party = await partyOf(tx, state);
  const { invoiceId, number } = await issueDamageDocument(tx, party, state.charge);
  const { caseId: sourceId, rentalId, customerId, branchId, entityId, currency } = party;
  const of = { rentalId, customerId, branchId, entityId, currency };
  await askLateCharge(tx, { invoiceId, ...of, source: 'damage', sourceId });
  return { ...ANSWERED, status: 'charged', invoice_id: invoiceId, invoice_number: number };
}

/** Beside a charge to the renter, or instead of one; booked when it is virtually certain. */
async function claimed(
  tx: Tx,
  state: CaseState,
  { amountMinor, isCertain }: Claim,
): Promise<Change> {
  const status = state.status === 'charged' ? 'charged' : 'insurer';
  const change = { ...ANSWERED, status, insurer_minor: amountMinor };
  if (!isCertain) return change;
  const entryId = await postInsurerShare(tx, await partyOf(tx, state), amountMinor);
  return { ...change, insurer_entry_id: entryId };
}

/** Alone within one's limit, else by an approval of exactly this amount (decisions.md 40). */
async function takeFromLimit(
  tx: Tx,
  { id, branchId, charge }: CaseState,
  { approvalId, limitMinor }: Waive,
  actor: Actor,
): Promise<void> {
  const amount = charge?.totalMinor ?? 0;
  if (amount === 0) return;
  if (approvalId !== null) {
    const { rows } = await sql<{ used: boolean }>`select people.use_waiver_approval(${approvalId},
      ${id}, ${branchId}, ${amount}) as used`.execute(tx);
    if (rows[0]?.used === true) return;
    throw new DomainError('four-eyes', 'There is no unused approval for waiving this amount.');
  }
  const { rows } = await sql<{ taken: boolean }>`select people.take_waiver(${actor.id}, ${id},
    (now() at time zone 'UTC')::date, ${amount}, ${limitMinor}) as taken`.execute(tx);
  if (rows[0]?.taken === true) return;
  throw new DomainError('limit-exceeded', 'It needs a second person: ask for approval.', {
    kind: 'fee-waiver',
    limit: limitMinor,
  });
}

type Given = readonly Pick<Coverage, 'code' | 'excessMinor'>[] | null;
type Terms = {
  readonly price: Quote;
  /** The covers of the class that a swap gave; null for what was booked. */
  readonly given: Given;
  readonly capMinor: number | null;
  readonly vatClass: VatClass;
  readonly vatRateBp: number;
  readonly answerHours: number;
  readonly at: string;
};

async function termsOf(tx: Tx, { rentalId, branchId }: CaseState): Promise<Terms> {
  const { rows } = await sql<Terms>`select r.price, (
      select p.terms -> 'coverages' from rentals.swap s
      join rentals.rate_plan p on p.id = s.plan_id and p.version = s.plan_version
      where s.rental_id = r.id and s.class_id = r.given_class_id
      order by s.swapped_at desc limit 1) as given, d.cap_minor as "capMinor",
      coalesce(d.vat_class, 'compensation') as "vatClass",
      coalesce(d.vat_rate_bp, 0) as "vatRateBp",
      coalesce(d.answer_hours, 336) as "answerHours", now() as at
    from rentals.rental r left join rentals.damage_rule d on d.branch_id = ${branchId}
    where r.id = ${rentalId}`.execute(tx);
  return rows[0] as Terms;
}

async function partyOf(tx: Tx, { id, rentalId, currency }: CaseState): Promise<DamageParty> {
  const { rows } = await sql<Omit<DamageParty, 'caseId' | 'rentalId' | 'currency'>>`
    select entity_id as "entityId", branch_id as "branchId", customer_id as "customerId",
      coalesce(checked_out_at, now()) as "from", now() as at
    from rentals.rental where id = ${rentalId}`.execute(tx);
  return { ...(rows[0] as Omit<DamageParty, 'caseId'>), caseId: id, rentalId, currency };
}
