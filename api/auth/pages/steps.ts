// What the pages of a sign-in share: what is known so far, and its end.
import { signedInBy } from '../../../db/queries/signed-in.ts';
import type { PageDeps, Step } from './deps.ts';
import { deviceOf } from './forms.ts';
import { addressOf } from './tries.ts';

/** What is known so far of who signs in; kept with the interaction, never sent to the browser. */
export type Pending = {
  readonly next: 'totp' | 'enrol' | 'done';
  readonly staffId: string;
  readonly methods: readonly string[];
};

export function pendingOf({ interaction }: Step): Pending | undefined {
  return interaction.result?.['pending'] as Pending | undefined;
}

/** Where the browser is to ask for the page again, which then shows what is next. */
export function backToStart({ ctx, interaction }: Step): void {
  ctx.status = 303;
  ctx.redirect(`/sign-in/${interaction.uid}`);
}

export async function remember(step: Step, pending: Pending): Promise<void> {
  step.interaction.result = { pending };
  await step.interaction.persist();
}

type Who = {
  readonly kind: 'staff' | 'customer';
  readonly id: string;
  /** How they proved it (RFC 8176). */
  readonly methods: readonly string[];
};

/** The sign-in is complete: opens its session, or goes on in the one that this browser has. */
export async function signInAs(deps: PageDeps, step: Step, who: Who): Promise<void> {
  await finish(step, { login: await loginOf(deps, step, who) });
}

export async function loginOf(deps: PageDeps, { ctx, interaction }: Step, who: Who) {
  const known = interaction.session && (await signedInBy(deps.db, interaction.session.uid));
  const sessionId =
    known?.id === who.id
      ? known.sessionId
      : await deps.signIn.openSession({
          subject: `${who.kind}:${who.id}`,
          device: deviceOf(ctx),
          address: addressOf(deps, ctx),
        });
  return { accountId: who.id, sessionId, amr: [...who.methods], remember: true };
}

export async function finish(
  { ctx, provider }: Step,
  result: Parameters<typeof provider.interactionResult>[2],
): Promise<void> {
  const merged = { mergeWithLastSubmission: !('error' in result) };
  const next = await provider.interactionResult(ctx.req, ctx.res, result, merged);
  ctx.status = 303;
  ctx.redirect(next);
}
