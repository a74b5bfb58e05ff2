// The audit row of a fact, written in its transaction; the actor is the transaction's principal.
import { sql } from 'kysely';
import type { Tx } from '../client.ts';

export type AuditEntry = {
  readonly action: string;
  readonly subjectType:
    | 'rental'
    | 'vehicle'
    | 'vehicle_import'
    | 'fleet_proof'
    | 'branch'
    | 'class'
    | 'customer'
    | 'rate_plan'
    | 'staff'
    | 'session'
    | 'partner'
    | 'api_client'
    | 'api_key'
    | 'approval'
    | 'hold'
    | 'stop_sell'
    | 'shortage'
    | 'quote'
    | 'authorisation'
    | 'transfer'
    | 'travel_time'
    | 'overbooking_limit'
    | 'on_request'
    | 'recall';
  readonly subjectId: string;
  readonly commandId?: string;
  readonly reason?: string;
  readonly before?: object;
  readonly after?: object;
};

export async function recordAudit(tx: Tx, entry: AuditEntry): Promise<void> {
  await sql`select people.record_audit(${entry.action}, ${entry.subjectType}, ${entry.subjectId},
    ${entry.commandId ?? null}, ${entry.reason ?? null}, ${json(entry.before)},
    ${json(entry.after)})`.execute(tx);
}

function json(value: object | undefined): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
