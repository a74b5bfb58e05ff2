// What the workflow of one damage case knows, and its commands, carried out one at a time.
import { ActivityFailure, log, proxyActivities } from '@temporalio/workflow';
import type { Activities } from '../../activities/index.ts';
import type { Actor } from '../../domain/actor.ts';
import {
  type CaseCommand,
  type CaseDeadline,
  type CaseReport,
  type CaseState,
  decide,
  nextDeadline,
} from '../../domain/damage-case.ts';
import { DomainError } from '../../domain/errors.ts';
import type { Envelope } from '../rental.messages.ts';
import { dbWrite } from './activity-options.ts';
import { beginning } from './beginning.ts';
import { showCase } from './damage-case-view.ts';
import { answerOf, type RecentCommands, remember } from './recent-commands.ts';
import { refusing, unwrapped } from './refusal.ts';
import { serializer } from './serialize.ts';

/** What continue-as-new hands to the next run: plain JSON. */
export type CaseCarried = {
  readonly state: CaseState;
  readonly recent: RecentCommands<CaseState>;
};

const { reportDamage, recordDamage } = proxyActivities<Activities>(dbWrite);

const SYSTEM: Actor = { kind: 'system', id: 'damage-case' };
/** A timer's command was refused, which nobody expected. */
const RETRY_AFTER_MS = 60 * 60_000;

export type DamageDesk = ReturnType<typeof openDamageDesk>;

export function openDamageDesk(carried: CaseCarried | null) {
  const inTurn = serializer();
  const opening = beginning<CaseState>(inTurn);
  let state = carried?.state ?? null;
  let recent = carried?.recent ?? [];
  let pausedUntil = 0;

  const current = () => state;
  const existing = () => state ?? refuseMissing();
  const keep = (next: CaseState) => {
    state = next;
    pausedUntil = 0;
    showCase(next);
    return next;
  };
  const answered = (commandId: string) => answerOf(recent, commandId);

  async function carryOut(request: Envelope<CaseCommand>): Promise<CaseState> {
    const known = answered(request.commandId);
    if (known !== undefined) return known;
    // Again after the validator: another command may have come first.
    const { id: caseId, version } = refusing(existing);
    refusing(() => decide(existing(), request.command));
    const next = await unwrapped(recordDamage({ ...request, caseId, version }));
    recent = remember(recent, request.commandId, next);
    return keep(next);
  }

  async function meet({ id: commandId }: CaseDeadline): Promise<void> {
    // An answer may have come first and ended the wait.
    const { id: caseId, version } = existing();
    if (nextDeadline(existing())?.id !== commandId) return;
    const command = { type: 'markDue' } as const;
    const asked = { commandId, actor: SYSTEM, command, caseId, version };
    try {
      keep(await recordDamage.executeWithOptions({ summary: 'markDue' }, [asked]));
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error;
      // The case must not end by it: people's commands go on.
      log.warn('A deadline could not be met.', { commandId });
      pausedUntil = Date.now() + RETRY_AFTER_MS;
    }
  }

  return {
    current,
    existing,
    answered,
    refusal: opening.refusal,
    carried: (): CaseCarried => ({ state: existing(), recent }),
    nextDeadline: (): CaseDeadline | null => {
      const deadline = nextDeadline(existing());
      return deadline && { ...deadline, at: Math.max(deadline.at, pausedUntil) };
    },
    report: (request: Envelope<CaseReport>) =>
      opening.begin(current, async () => keep(await reportDamage(request))),
    carryOut: (request: Envelope<CaseCommand>) => inTurn(() => carryOut(request)),
    meet: (deadline: CaseDeadline) => inTurn(() => meet(deadline)),
  };
}

/** Throws `invalid-state`: the case is not open yet, or was refused. */
function refuseMissing(): never {
  throw new DomainError('invalid-state', 'There is no such damage case yet.');
}
