// A person's own page: where they are signed in, ending that, and the second step.

import { type SignedIn, signedInBy } from '../../../db/queries/signed-in.ts';
import { ACCOUNT_CLIENT } from '../server/clients.ts';
import { askPasswords, takePasswords } from './account-password.ts';
import { confirmSecondStep, showSecondStep, takeProof } from './account-second-step.ts';
import type { PageDeps, Visit } from './deps.ts';
import { PageError, readForm, show, tokenField } from './forms.ts';
import { type Html, html } from './html.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `/account`, and `end-session`, `second-step`, `prove` and `password` below it. */
export async function serveAccount(deps: PageDeps, visit: Visit): Promise<void> {
  const { ctx } = visit;
  const signedIn = await visitorOf(deps, visit);
  if (signedIn === undefined) return signInFirst(deps, visit);
  switch (`${ctx.method} ${ctx.path}`) {
    case 'GET /account':
      return showSessions(deps, visit, signedIn);
    case 'POST /account/end-session':
      return endOne(deps, visit, signedIn);
    case 'GET /account/second-step':
      return showSecondStep(deps, visit, signedIn);
    case 'POST /account/second-step':
      return confirmSecondStep(deps, visit, signedIn);
    case 'POST /account/prove':
      return takeProof(deps, visit, signedIn);
    case 'GET /account/password':
      return askPasswords(deps, visit, signedIn);
    case 'POST /account/password':
      return takePasswords(deps, visit, signedIn);
    default:
      throw new PageError(404, 'There is nothing here.');
  }
}

async function visitorOf(deps: PageDeps, { ctx, provider }: Visit): Promise<SignedIn | undefined> {
  const session = await provider.Session.get(ctx);
  if (!session.accountId || !UUID.test(session.uid)) return undefined;
  const signedIn = await signedInBy(deps.db, session.uid);
  return signedIn?.id === session.accountId ? signedIn : undefined;
}

/** By the same server as for every other application, which sends the browser back here. */
function signInFirst(deps: PageDeps, { ctx }: Visit): void {
  if (ctx.method !== 'GET') throw new PageError(401, 'You are not signed in any more.');
  // It came back without a session: cookies are off, and going on would never end.
  if ('error' in ctx.query || 'iss' in ctx.query)
    throw new PageError(401, 'You are not signed in.');
  const query = new URLSearchParams({
    client_id: ACCOUNT_CLIENT,
    response_type: 'none',
    scope: 'openid',
    redirect_uri: `${deps.issuer}/account`,
  });
  ctx.status = 303;
  ctx.redirect(`/oauth/authorize?${query}`);
}

async function showSessions(deps: PageDeps, { ctx }: Visit, signedIn: SignedIn): Promise<void> {
  const sessions = await deps.signIn.sessionsOf(`${signedIn.kind}:${signedIn.id}`);
  const field = tokenField(deps.cookieKeys, signedIn.sessionId);
  const rows = sessions.map(
    (session): Html => html`<tr>
<td>${session.device}${session.id === signedIn.sessionId && html` <strong>(this one)</strong>`}</td>
<td>${session.address ?? ''}</td>
<td><time datetime="${session.lastSeenAt}">${session.lastSeenAt.slice(0, 16)}</time></td>
<td><form method="post" action="/account/end-session">${field}
<input type="hidden" name="session" value="${session.id}">
<button aria-label="Sign out ${session.device}">Sign out</button></form></td>
</tr>`,
  );
  const body = html`${signedIn.name !== null && html`<p>${signedIn.name}</p>`}
<table>
<caption>You are signed in on</caption>
<thead><tr><th scope="col">Device</th><th scope="col">Address</th>
<th scope="col">Last used (UTC)</th><th scope="col">End</th></tr></thead>
<tbody>${rows}</tbody>
</table>
${signedIn.kind === 'staff' && html`<p><a href="/account/second-step">Set up the second step</a></p>`}
${signedIn.kind === 'staff' && html`<p><a href="/account/password">Change your password</a></p>`}
<p><a href="/oauth/logout">Sign out here</a></p>`;
  show(ctx, 'Your account', body);
}

async function endOne(deps: PageDeps, { ctx }: Visit, signedIn: SignedIn): Promise<void> {
  const form = await readForm(ctx, deps.cookieKeys, signedIn.sessionId);
  const own = await deps.signIn.sessionsOf(`${signedIn.kind}:${signedIn.id}`);
  const session = own.find(({ id }) => id === form.get('session'));
  if (!session) throw new PageError(404, 'There is no such session.');
  await deps.signIn.endSession({ sessionId: session.id, reason: 'revoked' });
  ctx.status = 303;
  ctx.redirect('/account');
}
