// Forgotten passwords: asking for a link, and choosing a new password by it.
import { randomBytes } from 'node:crypto';
import { cookieName } from './cookies.ts';
import type { PageDeps, Visit } from './deps.ts';
import { PageError, readForm, show, tokenField } from './forms.ts';
import { html } from './html.ts';
import { addressOf, holdTry } from './tries.ts';

/** Binds the forms of these pages to the browser, as nobody is signed in yet. */
const FORM_COOKIE = 'forecourt_form';

function bindingOf(deps: PageDeps, { ctx }: Visit): string {
  const name = cookieName(FORM_COOKIE, deps.secure);
  const known = ctx.cookies.get(name, { signed: true });
  if (known) return known;
  const fresh = randomBytes(18).toString('base64url');
  ctx.cookies.set(name, fresh, {
    path: '/',
    httpOnly: true,
    sameSite: 'lax',
    secure: deps.secure,
    signed: true,
  });
  return fresh;
}

/** `/sign-in/forgotten`: answers the same whether the name is known. */
export async function serveForgotten(deps: PageDeps, visit: Visit): Promise<void> {
  const { ctx } = visit;
  const binding = bindingOf(deps, visit);
  if (ctx.method !== 'POST') {
    const body = html`<form method="post" action="/sign-in/forgotten">
${tokenField(deps.cookieKeys, binding)}
<label for="user">Your user name or e-mail address</label>
<input id="user" name="user" autocomplete="username" autocapitalize="none" required autofocus>
<button>Send me a link</button>
</form>`;
    return show(ctx, 'Choose a new password', body);
  }
  const form = await readForm(ctx, deps.cookieKeys, binding);
  const userNameOrEmail = (form.get('user') ?? '').trim();
  await holdTry(deps, ctx, userNameOrEmail);
  await deps.signIn.requestReset({ userNameOrEmail, address: addressOf(deps, ctx) });
  const body = html`<p>If we know you by that, a link is on its way to your mail box. It works once
and for a short time.</p>`;
  show(ctx, 'Look into your mail', body);
}

/** `/account/reset?token=…`: opening the link uses nothing up, choosing the password does. */
export async function serveReset(deps: PageDeps, visit: Visit): Promise<void> {
  const { ctx } = visit;
  const binding = bindingOf(deps, visit);
  if (ctx.method !== 'POST') {
    return askNewPassword(deps, visit, binding, String(ctx.query['token'] ?? ''));
  }
  const form = await readForm(ctx, deps.cookieKeys, binding);
  const token = form.get('token') ?? '';
  const outcome = await deps.signIn.reset({ token, password: form.get('password') ?? '' });
  if (outcome.outcome === 'refused') {
    throw new PageError(400, 'This link was used already or is too old. Ask for a new one.');
  }
  if (outcome.outcome === 'weak') {
    ctx.status = 422;
    return askNewPassword(deps, visit, binding, token, faultText(outcome.fault));
  }
  const body = html`<p>Your new password holds from now on, and you were signed out everywhere.
Go back to the application and sign in.</p>`;
  show(ctx, 'Your password was changed', body);
}

function askNewPassword(
  deps: PageDeps,
  { ctx }: Visit,
  binding: string,
  token: string,
  trouble?: string,
): void {
  const body = html`<form method="post" action="/account/reset">
${tokenField(deps.cookieKeys, binding)}
<input type="hidden" name="token" value="${token}">
<label for="password">Your new password, 12 characters or more</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12"
  required autofocus ${trouble && html`aria-describedby="trouble"`}>
<button>Change my password</button>
</form>`;
  show(ctx, 'Choose a new password', body, trouble);
}

export function faultText(fault: string): string {
  if (fault === 'too-short') return 'It needs at least 12 characters.';
  if (fault === 'too-long') return 'It may have at most 128 characters.';
  return 'Everybody tries that password first. Choose another.';
}
