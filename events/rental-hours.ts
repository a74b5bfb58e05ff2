// Tells each rental's workflow when its branch will be closed at a handover that was agreed, or not.
import { sql } from 'kysely';
import type { Db, Tx } from '../db/client.ts';
import { type Affected, handoversOutside } from '../db/queries/opening-hours.ts';
import { type ForecourtEvent, topicOf } from '../domain/events.ts';
import type { HandoverDoubt } from '../domain/rental-attention.ts';
import type { ConsumerPlan } from './consumer.ts';

/** `problem` null takes it back. */
type HoursNews = Omit<HandoverDoubt, 'problem'> & {
  readonly rentalId: string;
  readonly problem: HandoverDoubt['problem'] | null;
};

/** As `TellRental`: throws `ServerAway` while the workflow server does not answer. */
export type TellHours = (news: HoursNews) => Promise<void>;

const READER = 'system:rental-hours';
/** Few enough that the transaction is never idle for long: signals lie between its statements. */
const AT_ONCE = 25;

/**
 * Another week, another exception and another time zone are all a fact of the branch. What is told
 * is noted, so that it is told once and taken back when the hours suit again.
 */
export function rentalHours(db: Db, tell: TellHours): ConsumerPlan {
  return {
    name: 'rental-hours',
    topics: [topicOf('vehicles')],
    handle: async (tx, events) => {
      for (const branchId of branchesOf(events)) await look(db, tx, branchId, tell);
    },
  };
}

function branchesOf(events: readonly ForecourtEvent[]): ReadonlySet<string> {
  return new Set(
    events.flatMap((event) =>
      event.type === 'forecourt.branch.updated.v1' ? [event.data.branchId] : [],
    ),
  );
}

async function look(db: Db, tx: Tx, branchId: string, tell: TellHours): Promise<void> {
  const outside = await handoversOutside(db, READER, branchId, new Date().toISOString());
  const { rows: told } = await sql<HandoverDoubt & { readonly rentalId: string }>`
    select rental_id as "rentalId", handover, at, problem from events.outside_hours
    where branch_id = ${branchId} order by rental_id, handover`.execute(tx);
  const named = (one: Pick<Affected, 'rentalId' | 'handover'>) => `${one.rentalId} ${one.handover}`;
  const now = new Map(outside.map((one) => [named(one), one]));
  const before = new Map(told.map((one) => [named(one), one]));
  const isKnown = (one: Affected) => {
    const known = before.get(named(one));
    return known?.at === one.at && known.problem === one.problem;
  };
  const news: readonly HoursNews[] = [
    ...outside.filter((one) => !isKnown(one)),
    ...told.filter((one) => !now.has(named(one))).map((one) => ({ ...one, problem: null })),
  ];
  for (let start = 0; start < news.length; start += AT_ONCE) {
    const part = news.slice(start, start + AT_ONCE);
    const sent = await Promise.allSettled(
      part.map(({ rentalId, handover, at, problem }) => tell({ rentalId, handover, at, problem })),
    );
    for (const each of sent) if (each.status === 'rejected') throw each.reason;
    await note(tx, branchId, part);
  }
}

async function note(tx: Tx, branchId: string, news: readonly HoursNews[]): Promise<void> {
  const rows = JSON.stringify(news);
  await sql`delete from events.outside_hours h
    using jsonb_to_recordset(${rows}::jsonb) as n ("rentalId" uuid, handover text, problem text)
    where n.problem is null and h.rental_id = n."rentalId" and h.handover = n.handover`.execute(tx);
  await sql`insert into events.outside_hours (rental_id, handover, branch_id, at, problem)
    select n."rentalId", n.handover, ${branchId}, n.at, n.problem
    from jsonb_to_recordset(${rows}::jsonb)
      as n ("rentalId" uuid, handover text, at timestamptz, problem text)
    where n.problem is not null order by 1, 2
    on conflict (rental_id, handover) do update set branch_id = excluded.branch_id,
      at = excluded.at, problem = excluded.problem`.execute(tx);
}
