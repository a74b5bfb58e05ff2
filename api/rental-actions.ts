// The commands of a rental as links: where each is sent, who may, and why not when not.
import { z } from '@hono/zod-openapi';
import type { Judged, PayBack, PeoplesCommand, RentalState } from '../domain/rental.ts';
import { offeredActions, rentalActions } from '../domain/rental-actions.ts';
import { type Access, refusalOf } from './auth/access.ts';
import type { Caller } from './auth/caller.ts';
import { BOOKS, COUNTER } from './auth/roles.ts';
import { PROBLEMS, type ProblemError, type ProblemSlug } from './problems.ts';

/** The path segment of each command. */
export const COMMAND_PATHS = {
  checkOut: 'check-out',
  extend: 'extend',
  amend: 'amend',
  swap: 'swap',
  exchange: 'exchange',
  checkIn: 'check-in',
  undoCheckOut: 'undo-check-out',
  announceReturn: 'announce-return',
  announceDelay: 'announce-delay',
  reinstate: 'reinstate',
  cancel: 'cancel',
  confirm: 'confirm',
  decline: 'decline',
} as const satisfies Readonly<Record<PeoplesCommand, string>>;

const AT_COUNTER = { scope: 'rentals:write', roles: COUNTER } as const;
/** Who promises, or refuses, what the counter could not. */
const ANSWERS = {
  scope: 'rentals:write',
  roles: ['senior-agent', 'branch-manager', 'fleet-planner'],
} as const;

/** Who may send each: the routes are declared by it, and the links below are judged by it. */
export const COMMAND_ACCESS = {
  checkOut: AT_COUNTER,
  extend: AT_COUNTER,
  amend: AT_COUNTER,
  swap: AT_COUNTER,
  exchange: AT_COUNTER,
  checkIn: AT_COUNTER,
  undoCheckOut: AT_COUNTER,
  announceReturn: AT_COUNTER,
  announceDelay: AT_COUNTER,
  reinstate: { scope: 'rentals:write', roles: ['branch-manager'] },
  cancel: { ...AT_COUNTER, customers: 'own' },
  confirm: ANSWERS,
  decline: ANSWERS,
} as const satisfies Readonly<Record<PeoplesCommand, Access>>;

export const RentalActions = z
  .array(
    z.object({
      name: z.string(),
      method: z.literal('POST'),
      href: z.string(),
      allowed: z.boolean(),
      reason: z
        .object({
          type: z.string().openapi({ example: '/problems/invalid-state' }),
          title: z.string(),
          detail: z.string(),
        })
        .nullable()
        .openapi({ description: 'The problem that it would meet; null when it is allowed' }),
    }),
  )
  .readonly()
  .openapi({
    description:
      'Every command, for whoever asked: allowed now, or why not; and payBack where money of a rental ' +
      'that is over is still here. What hangs on its values, or on ' +
      'other records, is refused when it is sent.',
  });

/** As the API would answer: the caller's rights are looked at first, then the rental's state. */
export function actionsOf(state: RentalState, caller: Caller): z.infer<typeof RentalActions> {
  const commands = actionsFor(caller, new Date().toISOString(), rentalActions)(state);
  return state.payBack === undefined
    ? commands
    : [...commands, payBackOf(state.payBack, state, caller)];
}

/** For lists: a link for each command that the rental's status does not rule out. */
export function actionsOffered(caller: Caller, now: string) {
  return actionsFor(caller, now, offeredActions);
}

/** Of many rentals: the caller's rights are looked at once. */
function actionsFor(
  caller: Caller,
  now: string,
  judged: typeof rentalActions,
): (state: Judged & { readonly id: string }) => z.infer<typeof RentalActions> {
  const rights = Object.entries(COMMAND_ACCESS).map(
    ([command, access]) => [command, refusalOf(caller, access)] as const,
  );
  const forbidden = Object.fromEntries(rights) as Readonly<
    Record<PeoplesCommand, ProblemError | null>
  >;
  return (state) =>
    judged(state, now).map(({ command, refusal }) => {
      const slug = forbidden[command]?.slug ?? refusal?.code;
      const detail = forbidden[command]?.message ?? refusal?.message;
      return {
        name: command,
        method: 'POST' as const,
        href: `/api/v1/rentals/${state.id}/${COMMAND_PATHS[command]}`,
        allowed: slug === undefined,
        reason: slug === undefined || detail === undefined ? null : reasonOf(slug, detail),
      };
    });
}

/** Who may give money back at all; what of it alone is refused when it is asked for. */
const PAYS_BACK = { scope: 'rentals:write', roles: [...COUNTER, ...BOOKS] } as const;

/** Where what is left of a rental that is over goes back: the way it came. */
function payBackOf(
  { paymentId, prepaymentId }: PayBack,
  { id }: RentalState,
  caller: Caller,
): z.infer<typeof RentalActions>[number] {
  const forbidden = refusalOf(caller, PAYS_BACK);
  const ofTender =
    prepaymentId === null ? `payments/${paymentId}/refunds` : `prepayments/${prepaymentId}/refund`;
  const isOfCard = prepaymentId === null && paymentId === null;
  return {
    name: 'payBack',
    method: 'POST',
    href: `/api/v1/${isOfCard ? `rentals/${id}/deposit/refund` : ofTender}`,
    allowed: forbidden === null,
    reason: forbidden === null ? null : reasonOf(forbidden.slug, forbidden.message),
  };
}

/** The problem that the command would meet. */
function reasonOf(slug: ProblemSlug, detail: string) {
  return { type: `/problems/${slug}`, title: PROBLEMS[slug].title, detail };
}
