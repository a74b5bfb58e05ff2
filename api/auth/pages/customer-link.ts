// How customers sign in: by a link that they are mailed, in the browser that asked for it.
import { cookieName } from './cookies.ts';
import type { PageDeps, Step, Visit } from './deps.ts';
import { PageError, readForm, show, tokenField } from './forms.ts';
import { html } from './html.ts';
import { loginOf } from './steps.ts';
import { addressOf, holdTry } from './tries.ts';

/** Names the sign-in that waits for the link; only this browser's. */
const waitingCookie = ({ secure }: PageDeps) =>
  cookieName('forecourt_waiting', secure, WAITING_PATH);
const WAITING_PATH = '/sign-in/customer';
const WAITING_MS = 30 * 60_000;

export function askCustomer(deps: PageDeps, step: Step): void {
  const at = `/sign-in/${step.interaction.uid}`;
  const body = html`<form method="post" action="${at}/customer">
${tokenField(deps.cookieKeys, step.interaction.uid)}
<label for="email">Your e-mail address</label>
<input id="email" name="email" type="email" autocomplete="email" required autofocus>
<button>Send me a link</button>
</form>
<p><a href="${at}">You work here? Sign in with your password</a></p>`;
  show(step.ctx, 'Sign in by e-mail', body);
}

export async function mailCustomer(
  deps: PageDeps,
  step: Step,
  form: URLSearchParams,
): Promise<void> {
  const { ctx, interaction } = step;
  const email = (form.get('email') ?? '').trim();
  await holdTry(deps, ctx, email);
  await deps.signIn.requestCustomerLink({ email, address: addressOf(deps, ctx) });
  ctx.cookies.set(waitingCookie(deps), interaction.uid, {
    path: WAITING_PATH,
    httpOnly: true,
    sameSite: 'lax',
    secure: deps.secure,
    signed: true,
    maxAge: WAITING_MS,
  });
  const body = html`<p>If we know that address, a link is on its way to it. Open it in this
browser. It works once and for a short time.</p>`;
  show(ctx, 'Look into your mail', body);
}

/**
 * `/sign-in/customer?token=…`. Opening it changes nothing, because mail programs open links too; and
 * only the browser that asked is signed in, so nobody is signed in as somebody else by a link.
 */
export async function serveCustomerLink(deps: PageDeps, { ctx, provider }: Visit): Promise<void> {
  const uid = ctx.cookies.get(waitingCookie(deps), { signed: true });
  const interaction = uid ? await provider.Interaction.find(uid) : undefined;
  if (!interaction) {
    throw new PageError(400, 'Open the link in the browser in which you asked for it, and soon.');
  }
  const token = String(ctx.query['token'] ?? '');
  if (ctx.method !== 'POST') {
    const body = html`<form method="post" action="/sign-in/customer">
${tokenField(deps.cookieKeys, interaction.uid)}
<input type="hidden" name="token" value="${token}">
<button autofocus>Sign in</button>
</form>`;
    return show(ctx, 'Sign in by e-mail', body);
  }
  const form = await readForm(ctx, deps.cookieKeys, interaction.uid);
  const id = await deps.signIn.redeemCustomerLink(form.get('token') ?? '');
  if (id === null) throw new PageError(401, 'This link was used already or is too old.');
  const step = { ctx, provider, interaction };
  const login = await loginOf(deps, step, { kind: 'customer', id, methods: ['otp'] });
  interaction.result = { login };
  await interaction.persist();
  ctx.cookies.set(waitingCookie(deps), null, { path: WAITING_PATH });
  ctx.status = 303;
  ctx.redirect(interaction.returnTo);
}
