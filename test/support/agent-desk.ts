// A desk for tests of agents: registers them, rents for them, and reads what they earned.
import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { DB } from '../../db/schema.ts';
import type { RentalRequest, RentalState } from '../../domain/rental.ts';
import type { ApiAnswer, TestApi } from './api.ts';
import { taken } from './cash-desk.ts';
import { ENTITY } from './fleet.ts';
import { OUT } from './rental-desk.ts';
import { type MoneyDesk, moneyDesk } from './rental-money.ts';

/** Of the legal entity, now: `2027-05`. */
export const MONTH = new Intl.DateTimeFormat('sv', { timeZone: 'Europe/Vienna' })
  .format(new Date())
  .slice(0, 7);

export type AgentDesk = MoneyDesk &
  Books & {
    /** Of 12.35 % on time and mileage, unless told otherwise. */
    readonly agent: (more?: object, rateBp?: number) => Promise<string>;
    readonly post: (path: string, body?: unknown, more?: object) => Promise<ApiAnswer>;
    readonly patch: (agentId: string, body: object, version: number) => Promise<ApiAnswer>;
    /** Names the agent of a rental. */
    readonly put: (
      rentalId: string,
      agentId: string | null,
      version?: number,
    ) => Promise<ApiAnswer>;
    /** Of a day with a cover, out and back at once. */
    readonly returned: (more: Partial<RentalRequest>) => Promise<RentalState>;
    readonly back: (rental: Rental) => Promise<RentalState>;
    readonly statementOf: (agentId: string, query?: string) => Promise<ApiAnswer['body']>;
  };

/** Call it in `beforeAll`. */
export async function agentDesk(api: TestApi): Promise<AgentDesk> {
  const desk = await moneyDesk(api.database);
  const post: AgentDesk['post'] = (path, body, more = {}) =>
    api.call('POST', `/api/v1${path}`, { ...(body !== undefined && { body }), ...more });
  const knowing = (version: number) => ({ headers: { 'if-match': `"${version}"` } });
  const back: AgentDesk['back'] = async ({ id }) => {
    const out = await desk.after(await desk.read(id), OUT);
    return desk.after(out, { ...OUT, type: 'checkIn', branchId: out.branchId });
  };
  return {
    ...desk,
    ...booksOf(api.database.owner),
    post,
    back,
    patch: (agentId, body, version) =>
      api.call('PATCH', `/api/v1/agents/${agentId}`, { body, ...knowing(version) }),
    put: (rentalId, agentId, version) =>
      api.call('PUT', `/api/v1/rentals/${rentalId}/agent`, {
        body: { agentId },
        ...(version !== undefined && knowing(version)),
      }),
    agent: async (more = {}, rateBp = 1_235) => {
      const code = `AG-${randomUUID().slice(0, 8).toUpperCase()}`;
      const asked = { code, name: 'Travel', entityId: ENTITY, terms: { rateBp }, ...more };
      return (await taken(post('/agents', asked))).id;
    },
    returned: async (more) => back(await desk.book({ coverages: ['cdw'], ...more })),
    statementOf: (agentId, query = '') =>
      taken(api.call('GET', `/api/v1/agents/${agentId}/statements/${MONTH}${query}`)),
  };
}

type Books = ReturnType<typeof booksOf>;
type Rental = Pick<RentalState, 'id'>;

/** What the books say, as their owner reads and breaks them. */
function booksOf(owner: Kysely<DB>) {
  return {
    earnedBy: (rental: Rental) => earnedBy(owner, rental),
    earnedInAll: (rental: Rental) => earnedInAll(owner, rental),
    invoicesOf: (rental: Rental) => invoicesOf(owner, rental),
    payableTo: (agentId: string) => payableTo(owner, agentId),
    unexplained: () => unexplained(owner),
    legsOf: (entryId: string) => legsOf(owner, entryId),
    anotherOf: (rentalId: string, values: string) => anotherOf(owner, rentalId, values),
    paidBy: (rentalId: string) => paidBy(owner, rentalId),
    refundedToday: (staffId: string, amount: number) => refundedToday(owner, staffId, amount),
    later: (rental: Rental, days: number, minutes?: number) => later(owner, rental, days, minutes),
  };
}

/** Base and amount of each row, in order. */
async function earnedBy(owner: Kysely<DB>, { id }: Rental) {
  const { rows } = await sql<{ base: number; amount: number }>`select base_minor as base,
      amount_minor as amount from accounting.commission
    where rental_id = ${id} order by seq`.execute(owner);
  return rows.map(({ base, amount }) => [base, amount]);
}

/** Base and amount of all rows together. */
async function earnedInAll(owner: Kysely<DB>, rental: Rental) {
  const rows = await earnedBy(owner, rental);
  return [0, 1].map((at) => rows.reduce((sum, row) => sum + (row[at] ?? 0), 0));
}

/** Of the agent's part of account 2140, out of the ledger alone. */
async function payableTo(owner: Kysely<DB>, agentId: string): Promise<number> {
  const { rows } = await sql<{ owed: number }>`select coalesce(-sum(l.amount), 0)::bigint as owed
    from accounting.line l join accounting.account a on a.id = l.account_id and a.code = '2140'
    where l.entry_id in (select entry_id from accounting.commission where agent_id = ${agentId}
      union all select entry_id from accounting.agent_payout where agent_id = ${agentId})`.execute(
    owner,
  );
  return rows[0]?.owed ?? 0;
}

async function invoicesOf(owner: Kysely<DB>, { id }: Rental): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`select id from accounting.invoice
    where rental_id = ${id} and kind = 380 order by id`.execute(owner);
  return rows.map((row) => row.id);
}

/** So many days and minutes pass: everything that is known of the rental lies that much further back. */
async function later(owner: Kysely<DB>, { id }: Rental, days: number, minutes = 0): Promise<void> {
  const by = `${days} days ${minutes} minutes`;
  await owner.transaction().execute(async (tx) => {
    await sql`set local session_replication_role = replica`.execute(tx);
    await sql`update rentals.rental set pick_up_at = pick_up_at - ${by}::interval,
      due_at = due_at - ${by}::interval, cycle_ends_at = cycle_ends_at - ${by}::interval,
      checked_out_at = checked_out_at - ${by}::interval where id = ${id}`.execute(tx);
    await sql`update rentals.billed_cycle set service_from = service_from - ${by}::interval,
      service_to = service_to - ${by}::interval where rental_id = ${id}`.execute(tx);
    await sql`update rentals.segment set from_at = from_at - ${by}::interval
      where rental_id = ${id}`.execute(tx);
    await sql`update vehicles.span set during = tstzrange(lower(during) - ${by}::interval,
      upper(during)) where ref = ${id}`.execute(tx);
  });
}

/** Of account 2140, what no commission and no payment of an agent says. */
async function unexplained(owner: Kysely<DB>): Promise<number> {
  const { rows } = await sql<{ rest: number }>`select (coalesce(sum(l.amount), 0)
      + (select sum(amount_minor) from accounting.commission)
      - (select sum(amount_minor) from accounting.agent_payout))::bigint as rest
    from accounting.line l join accounting.account a on a.id = l.account_id
    where a.code = '2140'`.execute(owner);
  return rows[0]?.rest ?? 0;
}

/** Account and amount of each leg of an entry, in order. */
async function legsOf(owner: Kysely<DB>, entryId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ leg: string }>`select a.code || ' ' || l.amount as leg
    from accounting.line l join accounting.account a on a.id = l.account_id
    where l.entry_id = ${entryId} order by l.line_no`.execute(owner);
  return rows.map(({ leg }) => leg);
}

/** A second row of a rental's commission, with this base, amount and entry. */
async function anotherOf(owner: Kysely<DB>, rentalId: string, values: string) {
  await sql`insert into accounting.commission select rental_id, 2, agent_id, document_id, reason,
      rate_bp, kinds, ${sql.raw(values)}, posting_date, now()
    from accounting.commission where rental_id = ${rentalId}`.execute(owner);
}

/** A payment of 0.01 that names the entry of a rental's commission. */
async function paidBy(owner: Kysely<DB>, rentalId: string): Promise<void> {
  await sql`insert into accounting.agent_payout (id, agent_id, month, method, currency,
      amount_minor, reference, entry_id, posting_date, paid_by)
    select uuidv7(), agent_id, ${MONTH}, 'bank-transfer', 'EUR', 1, 'T', entry_id, posting_date, ''
    from accounting.commission where rental_id = ${rentalId}`.execute(owner);
}

/** So much of somebody's limit is used up. */
async function refundedToday(owner: Kysely<DB>, staffId: string, amount: number) {
  await sql`insert into people.limit_use (id, staff_id, kind, subject_id, day, amount)
    values (uuidv7(), ${staffId}, 'refund', 'x', (now() at time zone 'UTC')::date,
      ${amount})`.execute(owner);
}
