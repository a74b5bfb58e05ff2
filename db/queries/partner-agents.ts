// Whether a partner earns a commission where it books: the agent that it is in those books.
import { sql } from 'kysely';
import { type Db, transact } from '../client.ts';

const READER = 'system:api';

/** Undefined where it is none, or nothing is promised to it today. */
export function partnerAgent(
  db: Db,
  partnerId: string,
  branchId: string,
): Promise<string | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<{ id: string }>`select a.id from accounting.agent a
      join vehicles.branch b on b.entity_id = a.entity_id
      join accounting.legal_entity e on e.id = a.entity_id
      where a.partner_id = ${partnerId} and b.id = ${branchId} and a.status = 'active'
        and exists (select from accounting.agent_terms t
          where t.agent_id = a.id and t.valid_from <= (now() at time zone e.time_zone)::date)`.execute(
      tx,
    );
    return rows[0]?.id;
  });
}
