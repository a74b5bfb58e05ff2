// Reads of the audit log, newest first, as auditors ask for it.
import { type SqlBool, sql } from 'kysely';
import { type Acting, type Db, transact } from '../client.ts';
import { type Page, type PageRequest, paged } from './page.ts';

export type AuditRow = {
  readonly id: string;
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly commandId: string | null;
  readonly reason: string | null;
  readonly before: object | null;
  readonly after: object | null;
  readonly origin: string | null;
  /** Its place in the chain, null until it is sealed. */
  readonly position: number | null;
};

export type AuditFilter = PageRequest & {
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subjectType?: string | undefined;
  readonly subjectId?: string | undefined;
  readonly commandId?: string | undefined;
  /** Instants: at or after, and before. */
  readonly from?: string | undefined;
  readonly until?: string | undefined;
  /**
   * Overrides are the entries with a reason: what needs none goes by the rules. Back-dated are those
   * that took effect, by `after.effectiveAt`, before they were recorded.
   */
  readonly report?: 'overrides' | 'back-dated' | undefined;
};

/** Clocks and round trips make an act of now look a little older than its record. */
const NOW = "interval '1 minute'";

export function listAudit(db: Db, acting: Acting, filter: AuditFilter): Promise<Page<AuditRow>> {
  const conditions = [
    sql<SqlBool>`true`,
    filter.after && sql<SqlBool>`e.id < ${filter.after}`,
    filter.actor && sql<SqlBool>`e.actor = ${filter.actor}`,
    filter.action && sql<SqlBool>`e.action = ${filter.action}`,
    filter.subjectType && sql<SqlBool>`e.subject_type = ${filter.subjectType}`,
    filter.subjectId && sql<SqlBool>`e.subject_id = ${filter.subjectId}`,
    filter.commandId && sql<SqlBool>`e.command_id = ${filter.commandId}`,
    filter.from && sql<SqlBool>`e.at >= ${filter.from}`,
    filter.until && sql<SqlBool>`e.at < ${filter.until}`,
    filter.report === 'overrides' && sql<SqlBool>`e.reason is not null`,
    filter.report === 'back-dated' &&
      sql<SqlBool>`jsonb_exists(e.after, 'effectiveAt')
        and (e.after->>'effectiveAt')::timestamptz < e.at - ${sql.raw(NOW)}`,
  ].filter((condition) => typeof condition === 'object');
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<AuditRow>`
      select e.id, e.at, e.actor, e.action, e.subject_type as "subjectType",
        e.subject_id as "subjectId", e.command_id as "commandId", e.reason, e.before, e.after,
        e.origin, s.position
      from people.audit_entry e left join people.audit_seal s on s.entry_id = e.id
      where ${sql.join(conditions, sql` and `)}
      order by e.id desc limit ${filter.limit + 1}`.execute(tx);
    return paged(rows, filter.limit);
  });
}
