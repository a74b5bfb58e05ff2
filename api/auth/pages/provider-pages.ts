// The pages that the protocol library asks for: device codes, signing out, and its errors.
import type { KoaContextWithOIDC } from 'oidc-provider';
import { contentPolicy, originOf, show } from './forms.ts';
import { html } from './html.ts';

/** The library checks `xsrf` against the session itself. */
function xsrfOf(ctx: KoaContextWithOIDC): string {
  return String(ctx.oidc.session?.state?.['secret'] ?? '');
}

export function enterDeviceCodePage(
  ctx: KoaContextWithOIDC,
  _form: string,
  _out?: unknown,
  error?: Error,
): void {
  const action = ctx.oidc.urlFor('code_verification');
  const trouble = error && deviceTrouble(error.name);
  const body = html`<form method="post" action="${action}">
<input type="hidden" name="xsrf" value="${xsrfOf(ctx)}">
<label for="user_code">The code that the device shows</label>
<input id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" required
  autofocus aria-describedby="trouble">
<button>Continue</button>
</form>`;
  show(ctx, 'Sign in on a device', body, trouble);
}

function deviceTrouble(name: string): string {
  if (name === 'AbortedError') return 'The device was not signed in.';
  if (name === 'ExpiredError') return 'That code has expired. Ask the device for a new one.';
  if (name === 'AlreadyUsedError') return 'That code was used already. Ask for a new one.';
  return 'That code is not right. Check it and try again.';
}

export function confirmDevicePage(
  ctx: KoaContextWithOIDC,
  _form: string,
  client: { readonly clientName?: string | undefined },
  _device: unknown,
  userCode: string,
): void {
  const body = html`<p>${client.clientName ?? 'A device'} asks to be signed in as you.
Go on only if the device in front of you shows this code:</p>
<p class="code">${userCode}</p>
<form method="post" action="${ctx.oidc.urlFor('code_verification')}">
<input type="hidden" name="xsrf" value="${xsrfOf(ctx)}">
<input type="hidden" name="user_code" value="${userCode}">
<button name="confirm" value="yes">It shows this code: sign it in</button>
<button name="abort" value="yes">No, stop</button>
</form>`;
  show(ctx, 'Sign in on a device', body);
}

export function deviceDonePage(ctx: KoaContextWithOIDC): void {
  show(ctx, 'The device is signed in', html`<p>You can close this page.</p>`);
}

export function signOutPage(ctx: KoaContextWithOIDC): void {
  const target = ctx.oidc.session?.state?.['postLogoutRedirectUri'];
  ctx.set('content-security-policy', contentPolicy(originOf(target)));
  const body = html`<p>This ends your session on this device, in all of Forecourt.</p>
<form method="post" action="${ctx.oidc.urlFor('end_session_confirm')}">
<input type="hidden" name="xsrf" value="${xsrfOf(ctx)}">
<button name="logout" value="yes" autofocus>Sign out</button>
</form>
<p><a href="/account">Stay signed in</a></p>`;
  show(ctx, 'Sign out?', body);
}

export function signedOutPage(ctx: KoaContextWithOIDC): void {
  show(ctx, 'You are signed out', html`<p>You can close this page.</p>`);
}

export function errorPage(
  ctx: KoaContextWithOIDC,
  out: { readonly error?: unknown; readonly error_description?: unknown },
): void {
  const body = html`<p>Go back to the application that you came from and start again there.</p>
<p class="code">${String(out.error ?? '')}</p>`;
  show(ctx, 'This did not work', body, String(out.error_description ?? 'Something went wrong.'));
}
