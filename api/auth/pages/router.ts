// Which page an address is, the headers that every page has, and what is shown when one fails.

import type { Provider } from 'oidc-provider';
import { DomainError } from '../../../domain/errors.ts';
import { HSTS } from '../../middleware/observe.ts';
import { serveAccount } from './account.ts';
import type { Context, Middleware } from './context.ts';
import { serveCustomerLink } from './customer-link.ts';
import type { PageDeps, Visit } from './deps.ts';
import { contentPolicy, PageError, show } from './forms.ts';
import { html, STYLE } from './html.ts';
import { serveInteraction } from './interaction.ts';
import { serveForgotten, serveReset } from './recovery.ts';
import { refuseFlood } from './tries.ts';
import { serveUpstreamCallback, UPSTREAM_CALLBACK } from './upstream.ts';

const SESSION_FORMS = ['/oauth/device', '/oauth/logout/confirm'];
const INTERACTION = /^\/sign-in\/([\w-]{20,})(?:\/([a-z]+))?$/;

/** In front of the protocol library: answers the pages and leaves everything else to it. */
export function pages(deps: PageDeps, provider: Provider): Middleware {
  return async (ctx, next) => {
    pinOrigin(ctx, deps.issuer);
    ctx.set({
      'content-security-policy': contentPolicy(),
      'x-content-type-options': 'nosniff',
      // With no-referrer browsers send `Origin: null` with our own forms.
      'referrer-policy': 'same-origin',
      'cache-control': 'no-store',
      ...(deps.secure && { 'strict-transport-security': HSTS }),
    });
    // Where TLS ends in front of us, cookies are marked secure all the same.
    if (deps.secure) ctx.cookies.secure = true;
    if (!isPage(ctx.path)) {
      if (!lostItsSession({ ctx, provider }) && !(await refuseFlood(deps, ctx))) await next();
      return;
    }
    try {
      await serve(deps, { ctx, provider });
    } catch (error) {
      showFailure({ ctx, provider }, error);
    }
  };
}

/** The library fails with 500 on a form about a session when the browser sends no cookie of one. */
function lostItsSession({ ctx, provider }: Visit): boolean {
  if (ctx.method !== 'POST' || !SESSION_FORMS.includes(ctx.path)) return false;
  if (ctx.cookies.get(provider.cookieName('session'))) return false;
  ctx.status = 400;
  const trouble = 'This form is out of date. Open the page again.';
  show(ctx, 'This did not work', html`<p>Cookies must be allowed.</p>`, trouble);
  return true;
}

/**
 * The library builds addresses of the request's protocol and Host. Behind a proxy the one is plain
 * HTTP, and the other is whatever the caller wrote: what counts is how we are known.
 */
function pinOrigin(ctx: Context, issuer: string): void {
  const { host, protocol } = new URL(issuer);
  ctx.req.headers.host = host;
  Object.defineProperty(ctx.request, 'protocol', { value: protocol.slice(0, -1) });
}

function isPage(path: string): boolean {
  return ['/sign-in', '/account'].some((at) => path === at || path.startsWith(`${at}/`));
}

async function serve(deps: PageDeps, visit: Visit): Promise<void> {
  const { ctx } = visit;
  if (ctx.path === '/sign-in/style.css') return serveStyle(visit);
  if (!['GET', 'HEAD', 'POST'].includes(ctx.method)) {
    throw new PageError(405, 'That is not offered here.', { allow: 'GET, POST' });
  }
  if (ctx.path === '/sign-in/forgotten') return serveForgotten(deps, visit);
  if (ctx.path === '/account/reset') return serveReset(deps, visit);
  if (ctx.path === '/sign-in/customer') return serveCustomerLink(deps, visit);
  if (ctx.path === UPSTREAM_CALLBACK) return serveUpstreamCallback(visit);
  if (ctx.path === '/account' || ctx.path.startsWith('/account/')) return serveAccount(deps, visit);
  const [, uid, action] = INTERACTION.exec(ctx.path) ?? [];
  if (uid === undefined) throw new PageError(404, 'There is nothing here.');
  await serveInteraction(deps, visit, action);
}

function serveStyle({ ctx }: Visit): void {
  ctx.set('cache-control', 'public, max-age=3600');
  ctx.type = 'css';
  ctx.body = STYLE;
}

function showFailure({ ctx, provider }: Visit, error: unknown): void {
  const known = asPageError(error);
  if (known === undefined) provider.emit('server_error', ctx, error);
  const { status, message, headers } = known ?? new PageError(500, 'Something went wrong here.');
  ctx.set({ ...headers });
  ctx.status = status;
  show(ctx, 'This did not work', html`<p>You can go back and try again.</p>`, message);
  ctx.status = status;
}

function asPageError(error: unknown): PageError | undefined {
  if (error instanceof PageError) return error;
  if (error instanceof DomainError) return new PageError(409, error.message);
  return undefined;
}
