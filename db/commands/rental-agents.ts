// Whose rental it is: the agent who is owed a commission, named before the keys are out.
import { sql } from 'kysely';
import { DomainError } from '../../domain/errors.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';

/** `agentId` is null once the agent was taken off again. */
export type RentalAgent = {
  readonly rentalId: string;
  readonly agentId: string | null;
  readonly namedAt: string;
  readonly version: number;
};

/**
 * Freezes the commission that the agent is promised today. `version` is the one that the caller knows,
 * null where none was named yet. Throws `not-found` for an unknown rental, and for an agent of another
 * legal entity or without terms; `version-conflict`, `invalid-state` once the keys are out.
 */
export function setRentalAgent(
  db: Db,
  acting: Acting,
  { rentalId, agentId }: Pick<RentalAgent, 'rentalId' | 'agentId'>,
  version: number | null,
): Promise<RentalAgent> {
  return transact(db, 'rentals_rw', acting, async (tx) => {
    const rental = await tx
      .selectFrom('rentals.rental')
      .select('branch_id')
      .where('id', '=', rentalId)
      .forShare()
      .executeTakeFirst();
    if (rental === undefined) throw new DomainError('not-found', 'There is no such rental.');
    return nameAgent(tx, { rentalId, agentId, branchId: rental.branch_id }, version);
  });
}

/** The same, in the transaction of whoever books it. */
export async function nameAgent(
  tx: Tx,
  {
    rentalId,
    agentId,
    branchId,
  }: {
    readonly rentalId: string;
    readonly agentId: string | null;
    readonly branchId: string;
  },
  known: number | null = null,
): Promise<RentalAgent> {
  const { rows } = await refusing(
    sql<RentalAgent & { readonly rateBp: number | null }>`
    insert into rentals.rental_agent as a (rental_id, agent_id) values (${rentalId}, ${agentId})
    on conflict (rental_id) do update
      set agent_id = excluded.agent_id, version = a.version + 1, named_at = now()
      where a.version = ${known}
    returning rental_id as "rentalId", agent_id as "agentId", named_at as "namedAt", version,
      rate_bp as "rateBp"`.execute(tx),
  );
  const [row] = rows;
  if (row === undefined || row.version !== (known ?? 0) + 1) {
    throw new DomainError('version-conflict', 'Its agent was changed meanwhile: read it again.');
  }
  const { rateBp, ...agent } = row;
  await publish(tx, {
    type: 'forecourt.rental-agent.named.v1',
    aggregateId: codeAggregate('rental-agent', rentalId),
    sequence: agent.version,
    data: { rentalId, branchId, agentId },
  });
  await recordAudit(tx, {
    ...{ action: 'rental.name-agent', subjectType: 'rental', subjectId: rentalId },
    after: { agentId, rateBp, version: agent.version },
  });
  return agent;
}

async function refusing<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { constraint } = error as { readonly constraint?: string };
    if (constraint === 'rental_agent_has_terms') {
      const message = 'There is no such agent with terms in force in these books.';
      throw new DomainError('not-found', message, { of: 'agent' });
    }
    if (constraint === 'rental_agent_before_check_out') {
      throw new DomainError('invalid-state', 'An agent is named before the keys are out.');
    }
    throw error;
  }
}
