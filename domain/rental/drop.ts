// A vehicle that was left at a closed branch: which time somebody may claim for it.
import { DomainError } from '../errors.ts';
import { isOpen } from '../opening-hours.ts';
import type { Span } from '../span.ts';
import type { RentalState } from './state.ts';

/**
 * Lets a claim pass that a vehicle was left at a closed branch (decisions.md 29): it came back then,
 * which is before the branch opened, because while it is open somebody takes vehicles back, and
 * during a whole opening somebody looks into the key drop. `openings` are those from the claim until
 * now. An older claim needs the reason of a manager: answers true where it does and `isGranted` says that
 * there is one. Throws `invalid-time` for a claim from before the check-out, from the future, from
 * opening hours or from before the last opening, and `branch-closed` where there is no key drop.
 */
export function checkDrop(
  claimed: string,
  { checkedOutAt }: Pick<RentalState, 'checkedOutAt'>,
  branch: { readonly openings: readonly Span[]; readonly keyDrop: boolean },
  now: string,
  isGranted = false,
): boolean {
  const ms = Date.parse(claimed);
  if (ms > Date.parse(now) || ms < Date.parse(checkedOutAt ?? claimed)) {
    throw new DomainError('invalid-time', 'It was dropped after its check-out, and before now.', {
      droppedAt: claimed,
    });
  }
  if (isOpen(branch.openings, claimed)) {
    throw new DomainError('invalid-time', 'The branch was open then: leave the drop time out.', {
      droppedAt: claimed,
    });
  }
  const since = branch.openings.find(
    ({ from, to }) => Date.parse(from) >= ms && Date.parse(to) <= Date.parse(now),
  );
  if (since !== undefined && !isGranted) {
    throw new DomainError(
      'invalid-time',
      'The branch has been open since then: leave the drop time out, or have a manager say why.',
      { droppedAt: claimed, openedAt: since.from },
    );
  }
  if (!branch.keyDrop) {
    throw new DomainError('branch-closed', 'There is no key drop at this branch.', {
      handover: 'return',
      at: claimed,
    });
  }
  return since !== undefined;
}
