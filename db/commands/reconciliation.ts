// Keeps what the nightly proof finds: its run, its doubts, its differences, and their end.
import { sql } from 'kysely';
import { DIFFERENCES, type Difference, type Subject } from '../../domain/reconciliation.ts';
import { type Db, type Tx, transact } from '../client.ts';
import { publish } from '../outbox.ts';
import type { FleetProofRow } from '../queries/reconciliation.ts';
import { recordAudit } from './audit.ts';

const PROVER = 'system:fleet-proof';

export function beginProof(db: Db, proofId: string): Promise<void> {
  return transact(db, 'vehicles_rw', PROVER, async (tx) => {
    await sql`insert into vehicles.fleet_proof (id) values (${proofId})
      on conflict do nothing`.execute(tx);
  });
}

export type Seen = 'rentals' | 'workflows' | 'vehicles' | 'transfers';

/**
 * Notes a page: how many it had, and what in it is doubtful. A page that is read twice counts twice:
 * the figures say how much was looked at.
 */
export function notePage(
  db: Db,
  proofId: string,
  page: { readonly seen: Seen | null; readonly count: number; readonly doubts: readonly Subject[] },
): Promise<void> {
  return transact(db, 'vehicles_rw', PROVER, async (tx) => {
    const { numAffectedRows = 0n } = await sql`
      insert into vehicles.fleet_doubt (proof_id, subject_type, subject_id)
      select distinct ${proofId}::uuid, d.type, d.id
      from jsonb_to_recordset(${JSON.stringify(page.doubts)}::jsonb) as d (type text, id uuid)
      on conflict do nothing`.execute(tx);
    const seen = page.seen === null ? null : sql.ref(page.seen);
    const counted = seen === null ? sql`` : sql`, ${seen} = ${seen} + ${page.count}`;
    await sql`update vehicles.fleet_proof set doubts = doubts + ${Number(numAffectedRows)} ${counted}
      where id = ${proofId}`.execute(tx);
  });
}

/** One open row for each thing that is wrong; one that is known was seen again. */
export function recordDifferences(db: Db, found: readonly Difference[]): Promise<void> {
  return transact(db, 'vehicles_rw', PROVER, async (tx) => {
    for (const { kind, subject, branchId, sides } of found) {
      await sql`
        insert into vehicles.fleet_difference
          (kind, subject_type, subject_id, branch_id, sides, owner)
        values (${kind}, ${subject.type}, ${subject.id}, ${branchId}, ${JSON.stringify(sides)},
          ${DIFFERENCES[kind]})
        on conflict (kind, subject_type, subject_id) where resolved_at is null
        do update set sides = excluded.sides, branch_id = excluded.branch_id,
          last_seen = excluded.last_seen, version = fleet_difference.version + 1`.execute(tx);
    }
  });
}

/**
 * Ends the proof: what it did not see again is resolved. Answers the run and the subjects that have
 * nothing open any more. A repeat answers the run, and nobody.
 */
export function finishProof(
  db: Db,
  proofId: string,
): Promise<{ readonly proof: FleetProofRow; readonly clean: readonly Subject[] }> {
  return transact(db, 'vehicles_rw', PROVER, async (tx) => {
    const known = await tx
      .selectFrom('vehicles.fleet_proof')
      .selectAll()
      .where('id', '=', proofId)
      .forUpdate()
      .executeTakeFirstOrThrow();
    if (known.finished_at !== null) return { proof: known, clean: [] };
    const clean = await resolveUnseen(tx, known.started_at);
    const { rows } = await sql<FleetProofRow>`
      update vehicles.fleet_proof set finished_at = now(), version = version + 1, differences = (
        select count(*) from vehicles.fleet_difference where resolved_at is null)
      where id = ${proofId} returning *`.execute(tx);
    const proof = rows[0] as FleetProofRow;
    await tellProof(tx, proof);
    return { proof, clean };
  });
}

/** One that another proof saw after this one began stays open. */
async function resolveUnseen(tx: Tx, startedAt: string): Promise<readonly Subject[]> {
  const { rows } = await sql<Subject>`
    with resolved as (
      update vehicles.fleet_difference set resolved_at = now(), version = version + 1
      where resolved_at is null and last_seen < ${startedAt}
      returning subject_type, subject_id)
    select distinct r.subject_type as type, r.subject_id as id from resolved r
    where not exists (
      select from vehicles.fleet_difference d where d.subject_id = r.subject_id
        and d.resolved_at is null and d.last_seen >= ${startedAt})`.execute(tx);
  return rows;
}

async function tellProof(tx: Tx, proof: FleetProofRow): Promise<void> {
  const { id, rentals, workflows, vehicles, version } = proof;
  const figures = { rentals, workflows, vehicles, differences: proof.differences ?? 0 };
  await publish(tx, {
    type: 'forecourt.fleet.proved.v1',
    aggregateId: id,
    sequence: version,
    data: { proofId: id, ...figures },
  });
  const subject = { subjectType: 'fleet_proof', subjectId: id } as const;
  await recordAudit(tx, { action: 'fleet.prove', ...subject, after: figures });
}
