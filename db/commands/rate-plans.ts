// Rate plans: a version is a fact that never changes; a change of price is a new version.
import { sql } from 'kysely';
import { type RatePlan, validateRatePlan } from '../../domain/rate-plan.ts';
import { type Db, transact } from '../client.ts';
import { codeAggregate, publish } from '../outbox.ts';
import { recordAudit } from './audit.ts';

/**
 * Puts a version of a plan into force from `validFrom` on (now, when left out). A version that exists
 * stays as it is. Throws `rate-plan-invalid`.
 */
export function publishRatePlan(
  db: Db,
  principal: string,
  plan: RatePlan,
  validFrom?: string,
): Promise<void> {
  validateRatePlan(plan);
  return transact(db, 'rentals_rw', principal, async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('rentals.rate_plan')
      .values({
        id: plan.id,
        version: plan.version,
        valid_from: validFrom ?? sql<string>`now()`,
        terms: JSON.stringify(plan),
      })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    if (numInsertedOrUpdatedRows === 0n) return;
    await publish(tx, {
      type: 'forecourt.rate-plan.published.v1',
      aggregateId: codeAggregate('rate-plan', plan.id),
      sequence: plan.version,
      data: { planId: plan.id, planVersion: plan.version },
    });
    await recordAudit(tx, {
      action: 'rate-plan.publish',
      subjectType: 'rate_plan',
      subjectId: `${plan.id}/${plan.version}`,
      after: plan,
    });
  });
}
