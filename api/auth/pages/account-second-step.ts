// Setting up the second step while signed in: only by who has just proved again who they are.
import type { SignedIn } from '../../../db/queries/signed-in.ts';
import type { PageDeps, Visit } from './deps.ts';
import { PageError, readForm, show, tokenField } from './forms.ts';
import { html } from './html.ts';
import { codeInput, enrolmentFields, recoveryCodes } from './second-step.ts';
import { addressOf, holdTry } from './tries.ts';

const TITLE = 'Set up your second step';
const AT = '/account/second-step';

export async function showSecondStep(deps: PageDeps, visit: Visit, me: SignedIn): Promise<void> {
  ofStaff(me);
  if (!me.provedLately) return askProof(deps, visit, me);
  const body = html`<form method="post" action="${AT}">
${tokenField(deps.cookieKeys, me.sessionId)}
${await enrolmentFields(deps, me.id)}
<button>Continue</button></form>`;
  show(visit.ctx, TITLE, body);
}

export async function confirmSecondStep(deps: PageDeps, visit: Visit, me: SignedIn): Promise<void> {
  const { ctx } = visit;
  const form = await readForm(ctx, deps.cookieKeys, me.sessionId);
  ofStaff(me);
  if (!me.provedLately) {
    ctx.status = 401;
    return askProof(deps, visit, me, 'That took a while: say again who you are.');
  }
  const code = (form.get('code') ?? '').replaceAll(' ', '');
  const enrolled = await deps.signIn.confirmEnrolment({ staffId: me.id, code });
  if (enrolled.outcome !== 'ok') {
    ctx.status = 401;
    const trouble = 'That code is not right. Wait for the next one and try again.';
    const body = html`<form method="post" action="${AT}">
${tokenField(deps.cookieKeys, me.sessionId)}
${codeInput('The 6 digits that the app shows now', trouble)}<button>Continue</button></form>`;
    return show(ctx, TITLE, body, trouble);
  }
  const body = html`${recoveryCodes(enrolled.recoveryCodes)}<p><a href="/account">Done</a></p>`;
  show(ctx, 'Keep your recovery codes', body);
}

/** Whoever finds an open session must not be able to make it theirs (ASVS 7.5.1). */
function askProof(deps: PageDeps, { ctx }: Visit, me: SignedIn, trouble?: string): void {
  const body = html`<form method="post" action="/account/prove">
${tokenField(deps.cookieKeys, me.sessionId)}
<label for="password">Your password, to show that it is you</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
  autofocus ${trouble && html`aria-describedby="trouble"`}>
<button>Continue</button>
</form>
<p>You have none, because you sign in elsewhere?
<a href="/sign-in/forgotten">Choose one by e-mail first</a></p>`;
  show(ctx, 'Is it you?', body, trouble);
}

export async function takeProof(deps: PageDeps, visit: Visit, me: SignedIn): Promise<void> {
  const { ctx } = visit;
  const form = await readForm(ctx, deps.cookieKeys, me.sessionId);
  ofStaff(me);
  await holdTry(deps, ctx, `staff:${me.id}`);
  const proved = await deps.signIn.proveAgain({
    staffId: me.id,
    sessionId: me.sessionId,
    password: form.get('password') ?? '',
    address: addressOf(deps, ctx),
  });
  switch (proved.outcome) {
    case 'ok':
      ctx.status = 303;
      return ctx.redirect(AT);
    case 'refused':
      ctx.status = 401;
      return askProof(deps, visit, me, 'Your password is not right.');
    case 'slowed':
      throw new PageError(429, `Too many tries. Wait ${Math.ceil(proved.retryAfterS)} seconds.`, {
        'retry-after': String(Math.ceil(proved.retryAfterS)),
      });
  }
}

function ofStaff({ kind }: SignedIn): void {
  if (kind !== 'staff') throw new PageError(404, 'There is nothing here.');
}
