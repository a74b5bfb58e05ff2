// The second step of a sign-in: a code from the authenticator app, or setting one up.
import { toDataURL } from 'qrcode';
import { cookieName } from './cookies.ts';
import type { PageDeps, Step } from './deps.ts';
import { deviceOf, PageError, show, tokenField } from './forms.ts';
import { type Html, html } from './html.ts';
import { backToStart, type Pending, pendingOf, remember, signInAs } from './steps.ts';

/** Says that this browser passed the second step before; the secret is the service's. */
export function deviceCookie({ secure }: PageDeps): string {
  return cookieName('forecourt_device', secure, DEVICE_PATH);
}

const DEVICE_PATH = '/sign-in';

const WRONG = 'That code is not right. Wait for the next one and try again.';
const LOCKED = 'Too many wrong codes. Wait a few minutes, then try again.';

export function askCode(deps: PageDeps, step: Step, trouble?: string): void {
  const at = `/sign-in/${step.interaction.uid}`;
  const body = html`<form method="post" action="${at}/code">
${tokenField(deps.cookieKeys, step.interaction.uid)}
${codeInput('The 6 digits in your authenticator app', trouble)}
<label class="check"><input type="checkbox" name="remember" value="yes">
Do not ask again on this device for a while</label>
<button>Continue</button>
</form>
<p><a href="${at}?recovery">You do not have the app here? Use a recovery code</a></p>`;
  show(step.ctx, 'Second step', body, trouble);
}

export function codeInput(label: string, trouble: string | undefined): Html {
  return html`<label for="code">${label}</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="6"
  pattern="[0-9]{6}" required autofocus ${trouble && html`aria-describedby="trouble"`}>`;
}

export async function takeCode(deps: PageDeps, step: Step, form: URLSearchParams): Promise<void> {
  const pending = expecting(step, 'totp');
  if (!pending) return backToStart(step);
  const code = (form.get('code') ?? '').replaceAll(' ', '');
  const { outcome } = await deps.signIn.totpStep({ staffId: pending.staffId, code });
  if (outcome !== 'ok') {
    step.ctx.status = outcome === 'locked' ? 429 : 401;
    return askCode(deps, step, outcome === 'locked' ? LOCKED : WRONG);
  }
  if (form.get('remember') === 'yes') await rememberDevice(deps, step, pending.staffId);
  await signedIn(deps, step, pending, 'otp');
}

export function askRecovery(deps: PageDeps, step: Step, trouble?: string): void {
  const at = `/sign-in/${step.interaction.uid}`;
  const body = html`<form method="post" action="${at}/recovery">
${tokenField(deps.cookieKeys, step.interaction.uid)}
<label for="code">One of the recovery codes that you kept</label>
<input id="code" name="code" autocomplete="off" spellcheck="false" required autofocus
  ${trouble && html`aria-describedby="trouble"`}>
<button>Continue</button>
</form>
<p><a href="${at}">Use the authenticator app instead</a></p>`;
  show(step.ctx, 'Second step', body, trouble);
}

export async function takeRecovery(
  deps: PageDeps,
  step: Step,
  form: URLSearchParams,
): Promise<void> {
  const pending = expecting(step, 'totp');
  if (!pending) return backToStart(step);
  const code = (form.get('code') ?? '').trim();
  const { outcome } = await deps.signIn.recoveryStep({ staffId: pending.staffId, code });
  if (outcome !== 'ok') {
    step.ctx.status = outcome === 'locked' ? 429 : 401;
    return askRecovery(deps, step, outcome === 'locked' ? LOCKED : 'That code is not right.');
  }
  await signedIn(deps, step, pending, 'kba');
}

export async function showEnrolment(deps: PageDeps, step: Step, staffId: string): Promise<void> {
  const at = `/sign-in/${step.interaction.uid}`;
  const fields = await enrolmentFields(deps, staffId);
  const body = html`<form method="post" action="${at}/enrol">
${tokenField(deps.cookieKeys, step.interaction.uid)}
${fields}
<button>Continue</button>
</form>`;
  show(step.ctx, 'Set up your second step', body);
}

/** A new secret each time that the page is shown: nothing of it is kept in clear. */
export async function enrolmentFields(deps: PageDeps, staffId: string): Promise<Html> {
  const { secret, uri } = await deps.signIn.beginEnrolment(staffId);
  const picture = await toDataURL(uri, { errorCorrectionLevel: 'M', margin: 2, width: 240 });
  return html`<p>Scan this with your authenticator app:</p>
<img src="${picture}" width="240" height="240" alt="QR code for your authenticator app">
<p>You cannot scan? Type this key into the app: <span class="code">${secret}</span></p>
${codeInput('Then the 6 digits that it shows', undefined)}`;
}

export async function confirmEnrolment(
  deps: PageDeps,
  step: Step,
  form: URLSearchParams,
): Promise<void> {
  const pending = expecting(step, 'enrol');
  if (!pending) return backToStart(step);
  const { staffId } = pending;
  const field = tokenField(deps.cookieKeys, step.interaction.uid);
  const at = `/sign-in/${step.interaction.uid}`;
  const code = (form.get('code') ?? '').replaceAll(' ', '');
  const enrolled = await deps.signIn.confirmEnrolment({ staffId, code });
  if (enrolled.outcome !== 'ok') {
    step.ctx.status = 401;
    const again = html`<form method="post" action="${at}/enrol">${field}
${codeInput('The 6 digits that the app shows now', WRONG)}<button>Continue</button></form>
<p><a href="${at}">Show a new picture to scan</a></p>`;
    return show(step.ctx, 'Set up your second step', again, WRONG);
  }
  await remember(step, { next: 'done', staffId, methods: [...pending.methods, 'otp', 'mfa'] });
  const body = html`${recoveryCodes(enrolled.recoveryCodes)}
<form method="post" action="${at}/continue">${field}<button>I have kept them</button></form>`;
  show(step.ctx, 'Keep your recovery codes', body);
}

export function recoveryCodes(codes: readonly string[]): Html {
  return html`<p>Each of these works once if you lose the app. They are shown only now: print them
or keep them where you keep passwords.</p>
<ul class="code">${codes.map((code) => html`<li>${code}</li>`)}</ul>`;
}

function expecting(step: Step, next: Pending['next']): Pending | undefined {
  if (step.interaction.prompt.name !== 'login') throw new PageError(400, 'Nothing to prove here.');
  const pending = pendingOf(step);
  return pending?.next === next ? pending : undefined;
}

function signedIn(deps: PageDeps, step: Step, pending: Pending, method: string): Promise<void> {
  const methods = [...pending.methods, method, 'mfa'];
  return signInAs(deps, step, { kind: 'staff', id: pending.staffId, methods });
}

async function rememberDevice(deps: PageDeps, { ctx }: Step, staffId: string): Promise<void> {
  const description = deviceOf(ctx);
  const { cookie, expiresAt } = await deps.signIn.rememberDevice({ staffId, description });
  ctx.cookies.set(deviceCookie(deps), cookie, {
    path: DEVICE_PATH,
    httpOnly: true,
    sameSite: 'lax',
    secure: deps.secure,
    signed: false,
    expires: new Date(expiresAt),
  });
}
