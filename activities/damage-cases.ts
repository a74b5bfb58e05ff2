// The effects of a damage case: each is one transaction, safe to repeat.
import { recordDamage, reportDamage } from '../db/commands/damage-cases.ts';
import type { CaseCommand, CaseReport, CaseState } from '../domain/damage-case.ts';
import type { Envelope } from '../workflows/rental.messages.ts';
import type { ActivityDeps } from './deps.ts';
import { failing } from './failures.ts';

export type RecordDamage = Envelope<CaseCommand> & {
  readonly caseId: string;
  readonly version: number;
};

export function createDamageActivities({ db }: ActivityDeps) {
  return {
    reportDamage: (given: Envelope<CaseReport>): Promise<CaseState> =>
      failing(() => reportDamage(db, given)),

    recordDamage: (given: RecordDamage): Promise<CaseState> =>
      failing(() => recordDamage(db, given)),
  };
}
