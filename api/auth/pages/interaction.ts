// The steps of a sign-in: which page comes next, and which form leads where.
import { errors } from 'oidc-provider';
import { askConsent, giveConsent } from './consent.ts';
import { askCustomer, mailCustomer } from './customer-link.ts';
import type { PageDeps, Step, Visit } from './deps.ts';
import { contentPolicy, originOf, PageError, readForm } from './forms.ts';
import { askPassword, takePassword } from './password.ts';
import {
  askCode,
  askRecovery,
  confirmEnrolment,
  showEnrolment,
  takeCode,
  takeRecovery,
} from './second-step.ts';
import { backToStart, finish, pendingOf, remember, signInAs } from './steps.ts';
import type { Upstream } from './upstream.ts';

type Post = (deps: PageDeps, step: Step, form: URLSearchParams) => Promise<void>;

const POSTS: Readonly<Record<string, Post>> = {
  password: takePassword,
  code: takeCode,
  recovery: takeRecovery,
  enrol: confirmEnrolment,
  continue: finishPending,
  consent: giveConsent,
  customer: mailCustomer,
  cancel: (_deps, step) => finish(step, { error: 'access_denied' }),
  upstream: async (deps, step) => {
    if (!deps.upstream) throw new PageError(404, 'There is nothing here.');
    await deps.upstream.leave(step);
  },
};

/** `/sign-in/<uid>` and `/sign-in/<uid>/<action>`. */
export async function serveInteraction(
  deps: PageDeps,
  visit: Visit,
  action: string | undefined,
): Promise<void> {
  const { ctx } = visit;
  const step = { ...visit, interaction: await interactionOf(visit) };
  const { interaction } = step;
  ctx.set(
    'content-security-policy',
    contentPolicy([
      ...originOf(interaction.params['redirect_uri']),
      ...(deps.upstream ? [deps.upstream.origin] : []),
    ]),
  );
  if (ctx.method === 'GET' && action === 'upstream' && deps.upstream) {
    return arriveFrom(deps, step, deps.upstream);
  }
  if (ctx.method === 'GET' && action === undefined) return ask(deps, step);
  const post = action === undefined ? undefined : POSTS[action];
  if (post === undefined) throw new PageError(404, 'There is nothing here.');
  if (ctx.method !== 'POST') throw new PageError(405, 'Use the form.', { allow: 'POST' });
  await post(deps, step, await readForm(ctx, deps.cookieKeys, interaction.uid));
}

/** Roles that need a second factor prove it here, unless they did so there. */
async function arriveFrom(deps: PageDeps, step: Step, upstream: Upstream): Promise<void> {
  const { staffId, severalFactors } = await upstream.arrive(step);
  const next = severalFactors ? 'done' : await deps.signIn.stepAfter(staffId);
  const methods = severalFactors ? ['fed', 'mfa'] : ['fed'];
  if (next === 'done') return signInAs(deps, step, { kind: 'staff', id: staffId, methods });
  await remember(step, { next, staffId, methods });
  backToStart(step);
}

async function interactionOf({ ctx, provider }: Visit) {
  try {
    return await provider.interactionDetails(ctx.req, ctx.res);
  } catch (error) {
    if (!(error instanceof errors.SessionNotFound)) throw error;
    const advice = 'Go back to the application that you came from and sign in again.';
    throw new PageError(400, `This sign-in has expired. ${advice}`);
  }
}

async function ask(deps: PageDeps, step: Step): Promise<void> {
  const { interaction, ctx } = step;
  if (interaction.prompt.name === 'consent') return askConsent(deps, step);
  const pending = pendingOf(step);
  if (pending?.next === 'totp') {
    return 'recovery' in ctx.query ? askRecovery(deps, step) : askCode(deps, step);
  }
  if (pending?.next === 'enrol') return showEnrolment(deps, step, pending.staffId);
  return 'customer' in ctx.query ? askCustomer(deps, step) : askPassword(deps, step);
}

async function finishPending(deps: PageDeps, step: Step): Promise<void> {
  const pending = pendingOf(step);
  if (pending?.next !== 'done') return backToStart(step);
  await signInAs(deps, step, { kind: 'staff', id: pending.staffId, methods: pending.methods });
}
