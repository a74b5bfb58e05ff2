// Changing one's password while signed in: the old one and a new one, and the other sessions end.
import type { SignedIn } from '../../../db/queries/signed-in.ts';
import type { PageDeps, Visit } from './deps.ts';
import { PageError, readForm, show, tokenField } from './forms.ts';
import { html } from './html.ts';
import { faultText } from './recovery.ts';
import { addressOf, holdTry } from './tries.ts';

const TITLE = 'Change your password';

export function askPasswords(
  deps: PageDeps,
  { ctx }: Visit,
  signedIn: SignedIn,
  trouble?: string,
): void {
  if (signedIn.kind !== 'staff') throw new PageError(404, 'There is nothing here.');
  const described = trouble && html`aria-describedby="trouble"`;
  const body = html`<form method="post" action="/account/password">
${tokenField(deps.cookieKeys, signedIn.sessionId)}
<label for="current">Your present password</label>
<input id="current" name="current" type="password" autocomplete="current-password" required
  autofocus ${described}>
<label for="password">Your new password, 12 characters or more</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12"
  required ${described}>
<button>Change my password</button>
</form>`;
  show(ctx, TITLE, body, trouble);
}

export async function takePasswords(
  deps: PageDeps,
  visit: Visit,
  signedIn: SignedIn,
): Promise<void> {
  const { ctx } = visit;
  const form = await readForm(ctx, deps.cookieKeys, signedIn.sessionId);
  if (signedIn.kind !== 'staff') throw new PageError(404, 'There is nothing here.');
  await holdTry(deps, ctx, `${signedIn.kind}:${signedIn.id}`);
  const changed = await deps.signIn.changePassword({
    staffId: signedIn.id,
    current: form.get('current') ?? '',
    password: form.get('password') ?? '',
    sessionId: signedIn.sessionId,
    address: addressOf(deps, ctx),
  });
  switch (changed.outcome) {
    case 'ok':
      return show(
        ctx,
        'Your password was changed',
        html`<p>You were signed out on your other devices. <a href="/account">Done</a></p>`,
      );
    case 'refused':
      ctx.status = 401;
      return askPasswords(deps, visit, signedIn, 'Your present password is not right.');
    case 'weak':
      ctx.status = 422;
      return askPasswords(deps, visit, signedIn, faultText(changed.fault));
    case 'slowed':
      throw new PageError(429, `Too many tries. Wait ${changed.retryAfterS} seconds.`, {
        'retry-after': String(Math.ceil(changed.retryAfterS)),
      });
  }
}
