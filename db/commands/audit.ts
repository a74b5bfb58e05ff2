// The audit row of a fact, written in its transaction; the actor is the transaction's principal.
import { type RawBuilder, sql } from 'kysely';
import type { Fact } from '../../domain/events.ts';
import type { Tx } from '../client.ts';
import { publishAlong } from '../outbox.ts';

export type AuditEntry = {
  readonly action: string;
  readonly subjectType:
    | 'rental'
    | 'vehicle'
    | 'vehicle_import'
    | 'fleet_proof'
    | 'branch'
    | 'branch_day'
    | 'class'
    | 'customer'
    | 'customer_block'
    | 'driver_rule'
    | 'rate_plan'
    | 'staff'
    | 'session'
    | 'partner'
    | 'agent'
    | 'api_client'
    | 'api_key'
    | 'approval'
    | 'hold'
    | 'stop_sell'
    | 'shortage'
    | 'quote'
    | 'authorisation'
    | 'dispute'
    | 'payment'
    | 'drawer_shift'
    | 'cash_in_transit'
    | 'cash_terms'
    | 'inspection'
    | 'invoice'
    | 'prepayment'
    | 'damage_case'
    | 'damage_rule'
    | 'transfer'
    | 'travel_time'
    | 'overbooking_limit'
    | 'on_request'
    | 'recall'
    | 'notification'
    | 'violation'
    | 'violation_import'
    | 'violation_terms';
  readonly subjectId: string;
  readonly commandId?: string;
  readonly reason?: string;
  readonly before?: object;
  readonly after?: object;
};

/**
 * For a reason in somebody's own words: the log is sealed and never changes, and words may name a
 * person who is erased later. They stand in the table; the log says that there was a reason.
 */
export function reasonIn(
  table:
    | 'accounting.payment_refund'
    | 'people.approval'
    | 'rentals.booking_override'
    | 'rentals.drop_override'
    | 'rentals.rental_driver'
    | 'rentals.violation',
): string {
  return `see ${table}`;
}

export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await sql`select ${auditOf(entry)}`.execute(tx);
}

/** `publish` and `recordAudit` in one round trip, for what a customer waits for. */
export async function publishAudited(tx: Tx, fact: Fact, entry: AuditEntry): Promise<void> {
  await publishAlong(tx, fact, auditOf(entry));
}

function auditOf(entry: AuditEntry): RawBuilder<unknown> {
  return sql`people.record_audit(${entry.action}, ${entry.subjectType}, ${entry.subjectId},
    ${entry.commandId ?? null}, ${entry.reason ?? null}, ${json(entry.before)},
    ${json(entry.after)})`;
}

function json(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
