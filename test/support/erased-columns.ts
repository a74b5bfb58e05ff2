// Where a customer could be named in words: what erasure empties, and why it need not the rest.
import { v7 as uuidv7 } from 'uuid';
import { PERSON } from './fleet.ts';

export type Erased = { readonly rentalId: string; readonly customerId: string };

const ofCustomer = ({ customerId }: Erased) => `customer_id = '${customerId}'`;
const ofRental = ({ rentalId }: Erased) => `rental_id = '${rentalId}'`;
const own = ({ customerId }: Erased) => `id = '${customerId}'`;
const inspected = (one: Erased) =>
  `inspection_id in (select id from rentals.inspection where ${ofRental(one)})`;
const toAddress = ({ customerId }: Erased) => `to_address = '${addressOf(customerId)}'`;

/** By the column: which of its rows are the customer's. */
export const PERSONAL: ReadonlyMap<string, (one: Erased) => string> = new Map([
  // Of whatever was approved that has to do with the person.
  ['people.approval.reason', () => `kind = 'refund'`],
  ['people.mail.body', toAddress],
  ['people.mail.subject_line', toAddress],
  ['people.session.device', ({ customerId }: Erased) => `subject = 'customer:${customerId}'`],
  ['rentals.booking_override.reason', ofRental],
  ['rentals.customer.name', own],
  ['rentals.customer.phone', own],
  ['rentals.customer_block.lift_reason', ofCustomer],
  ['rentals.customer_block.reason', ofCustomer],
  ['rentals.drop_override.reason', ofRental],
  ['rentals.inspection.note', ofRental],
  ['rentals.inspection_mark.note', inspected],
  ['rentals.rental_driver.override_reason', ofCustomer],
  ['rentals.violation.dismiss_reason', ofCustomer],
  ['vehicles.shortage_case.reason', ofRental],
]);

/** What else of the customer an approval may be about. */
const SUBJECTS: readonly (readonly [string, (one: Erased) => object])[] = [
  ['rentals.damage_case', ({ rentalId }) => ({ rental_id: rentalId, severity: 'minor' })],
  ['rentals.dispute', ({ rentalId }) => ({ rental_id: rentalId })],
  ['rentals.prepayment', ({ rentalId }) => ({ rental_id: rentalId })],
  // So old that it keeps no name.
  ['accounting.invoice', ({ customerId }) => ({ customer_id: customerId, ...OLD_INVOICE })],
  ['accounting.payment', ({ customerId }) => ({ customer_id: customerId })],
];
const OLD_INVOICE = { kind: 380, issue_date: '2001-01-01', line_count: 1, tax_count: 1 };

/** A row of each that the customer has beside the rental itself. */
export function rowsOf(
  one: Erased,
): readonly (readonly [string, Readonly<Record<string, unknown>>])[] {
  const { rentalId: rental_id, customerId: customer_id } = one;
  const [inspection_id, id] = [uuidv7(), uuidv7()];
  const about = SUBJECTS.map(() => uuidv7());
  const done = { completed_by: 'staff:a', completed_at: new Date().toISOString() };
  return [
    ['people.approval', { id, subject_id: rental_id, kind: 'refund' }],
    ...SUBJECTS.map(([table, row], n) => [table, { id: about[n], ...row(one) }] as const),
    ...about.map((subject_id) => {
      const approval = { id: uuidv7(), subject_id, kind: 'refund' };
      return ['people.approval', approval] as const;
    }),
    ['people.mail', { id, to_address: addressOf(customer_id) }],
    ['people.session', { id, subject: `customer:${customer_id}` }],
    ['rentals.booking_override', { rental_id }],
    ['rentals.drop_override', { rental_id }],
    ['rentals.customer_block', { id, customer_id }],
    ['rentals.inspection', { id: inspection_id, rental_id, kind: 'out', ...done }],
    ['rentals.inspection_mark', { inspection_id, panel: 'roof' }],
    ['rentals.inspection_file', { id, inspection_id, kind: 'signature', sha256: SIGNATURE }],
    ['rentals.rental_driver', { rental_id, customer_id }],
    ['rentals.violation', { id, customer_id, rental_id, status: 'dismissed' }],
    ['vehicles.shortage_case', { id, rental_id }],
  ];
}

export const SIGNATURE = 'a'.repeat(64);

export function addressOf(customerId: string): string {
  return `${customerId}@${PERSON.email.split('@')[1]}`;
}

/** What never holds words about a customer, or may, and why. */
export const ELSEWHERE: readonly string[] = [
  // The books, which the law keeps; they name no persons but by id.
  ...of('accounting.account', 'name'),
  ...of('accounting.entry', 'source'),
  ...of('accounting.legal_entity', 'name', 'time_zone'),
  // Of drawers, safes and slips; a payment's reference and refund belong to the books.
  ...of('accounting.cash_in_transit', 'bag', 'statement'),
  ...of('accounting.agent', 'name'),
  ...of('accounting.agent_terms', 'kinds'),
  ...of('accounting.commission', 'kinds'),
  ...of('accounting.branch_day', 'figures', 'reason'),
  ...of('accounting.drawer_shift', 'denominations', 'manager', 'reason'),
  ...of('accounting.payment', 'reference', 'terminal_batch'),
  ...of('accounting.payment_refund', 'reason'),
  ...of('accounting.terminal_count', 'batch'),
  // Facts and their delivery: ids, codes, times and amounts, as contracts of events hold it.
  ...of('events.held', 'consumer', 'error'),
  ...of('events.inbox', 'consumer'),
  ...of('events.log', 'event', 'topic'),
  ...of('events.outbox', 'event', 'topic'),
  ...of('events.parked', 'event', 'reason', 'topic'),
  // Answers to requests, which may hold what was asked for: gone after 48 hours (KEEP_HOURS).
  ...of('events.idempotency', 'body', 'headers'),
  // Of staff and partners; the audit chain, which is sealed, holds customers by id alone, and of
  // reasons in words only where they stand (`reasonIn`).
  ...of('people.api_client', 'name'),
  ...of('people.api_key', 'name', 'prefix'),
  ...of('people.approval', 'payee'),
  ...of('people.audit_entry', 'after', 'before', 'reason'),
  ...of('people.oidc_artifact', 'payload', 'uid'),
  ...of('people.outside_logout', 'issuer', 'jti'),
  ...of('people.partner', 'branches', 'name', 'rates'),
  ...of('people.remembered_device', 'description'),
  ...of('people.session', 'end_reason'),
  ...of('people.signing_key', 'kid', 'public_jwk'),
  ...of('people.staff', 'branches', 'email', 'name', 'outside_issuer'),
  // Codes, prices and answers of our own; facts of authorities.
  ...of('rentals.agreement', 'facts'),
  ...of('rentals.authorisation', 'attention'),
  ...of('rentals.billed_cycle', 'vat'),
  ...of('rentals.cycle_document', 'lines', 'vat'),
  ...of('rentals.command', 'outcome'),
  ...of('rentals.customer', 'opt_outs'),
  ...of('rentals.damage_case', 'charge', 'loss'),
  ...of('rentals.damage_command', 'outcome'),
  ...of('rentals.damage_item', 'panel'),
  ...of('rentals.held_quote', 'price'),
  ...of('rentals.notification', 'occasion', 'reason'),
  ...of('rentals.partner_booking', 'voucher_covers', 'voucher_rate'),
  ...of('rentals.payer_share', 'covers'),
  // Of REFUND_REASONS and PREPAYMENT_REFUND_REASONS; rates and amounts.
  ...of('rentals.payment_attempt', 'reason', 'taxes'),
  ...of('rentals.rate_plan', 'terms'),
  ...of('rentals.rental', 'desk_terms', 'price'),
  ...of('rentals.rental_agent', 'kinds'),
  ...of('rentals.rental_driver', 'override_of'),
  ...of('rentals.segment', 'branch_in', 'branch_out'),
  ...of('rentals.violation', 'authority', 'place', 'plate', 'plate_jurisdiction', 'time_zone'),
  ...of('rentals.violation_import', 'problems', 'rows'),
  ...of('rentals.violation_terms', 'sender'),
  // Vehicles, branches and what is done with them: no customers.
  ...of('vehicles.branch', 'name', 'opening_weekly', 'time_zone'),
  ...of('vehicles.class', 'name'),
  ...of('vehicles.document', 'withdraw_reason'),
  ...of('vehicles.fleet_difference', 'sides'),
  ...of('vehicles.hold', 'lift_reason', 'reason'),
  ...of('vehicles.import', 'problems', 'rows'),
  ...of('vehicles.meter_segment', 'reason'),
  ...of('vehicles.opening_exception', 'periods', 'reason'),
  ...of('vehicles.plate', 'jurisdiction', 'plate'),
  ...of('vehicles.reading', 'void_reason'),
  ...of('vehicles.reading_review', 'decision_reason'),
  ...of('vehicles.recall', 'remedy', 'title'),
  ...of('vehicles.recall_scope', 'make', 'model'),
  ...of('vehicles.span', 'branch_in', 'branch_out'),
  ...of('vehicles.stop_sell', 'reason'),
  ...of('vehicles.transfer', 'from_branch', 'to_branch'),
  ...of('vehicles.transfer_command', 'outcome'),
  ...of('vehicles.travel_time', 'from_branch', 'to_branch'),
  ...of('vehicles.vehicle', 'make', 'model', 'plate', 'supplier'),
  // The address itself is the key by which the customer's rows are found: looked at by itself.
  ...of('people.mail', 'to_address'),
  ...of('rentals.customer', 'email'),
];

function of(table: string, ...columns: readonly string[]): readonly string[] {
  return columns.map((column) => `${table}.${column}`);
}
