// The first page of a sign-in: user name and password.
import type { PageDeps, Step } from './deps.ts';
import { show, tokenField } from './forms.ts';
import { html } from './html.ts';
import { deviceCookie } from './second-step.ts';
import { backToStart, remember, signInAs } from './steps.ts';
import { addressOf, takeTry } from './tries.ts';

/** One sentence for every reason: it must not tell whether the name exists. */
const REFUSED = 'User name and password do not match.';

export function askPassword(deps: PageDeps, step: Step, trouble?: string, userName = ''): void {
  const { interaction, ctx } = step;
  const at = `/sign-in/${interaction.uid}`;
  const field = tokenField(deps.cookieKeys, interaction.uid);
  const described = trouble ? html`aria-describedby="trouble"` : undefined;
  const body = html`<form method="post" action="${at}/password">
${field}
<label for="user_name">User name</label>
<input id="user_name" name="user_name" autocomplete="username" autocapitalize="none"
  spellcheck="false" required value="${userName}" ${described} ${userName === '' && html`autofocus`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
  ${described} ${userName !== '' && html`autofocus`}>
<button>Sign in</button>
</form>
${
  deps.upstream &&
  html`<form method="post" action="${at}/upstream">${field}
<button>Sign in with ${deps.upstream.name}</button></form>`
}
<p><a href="/sign-in/forgotten">Forgotten your password?</a></p>
<p><a href="${at}?customer">You rent from us? Sign in by e-mail</a></p>`;
  show(ctx, 'Sign in', body, trouble);
}

export async function takePassword(
  deps: PageDeps,
  step: Step,
  form: URLSearchParams,
): Promise<void> {
  const { ctx } = step;
  const userName = (form.get('user_name') ?? '').trim().toLowerCase();
  const waitS = await takeTry(deps, ctx, userName);
  if (waitS > 0) return tooMany(deps, step, waitS, userName);
  const outcome = await deps.signIn.passwordStep({
    userName,
    password: form.get('password') ?? '',
    address: addressOf(deps, ctx),
    rememberedDevice: ctx.cookies.get(deviceCookie(deps), { signed: false }),
  });
  if (outcome.outcome === 'slowed') return tooMany(deps, step, outcome.retryAfterS, userName);
  if (outcome.outcome === 'refused') {
    ctx.status = 401;
    return askPassword(deps, step, REFUSED, userName);
  }
  const { staffId, next } = outcome;
  if (next === 'done')
    return signInAs(deps, step, { kind: 'staff', id: staffId, methods: ['pwd'] });
  await remember(step, { next, staffId, methods: ['pwd'] });
  backToStart(step);
}

function tooMany(deps: PageDeps, step: Step, waitS: number, userName: string): void {
  step.ctx.status = 429;
  step.ctx.set('retry-after', String(Math.ceil(waitS)));
  askPassword(deps, step, `Too many tries. Wait ${Math.ceil(waitS)} seconds.`, userName);
}
