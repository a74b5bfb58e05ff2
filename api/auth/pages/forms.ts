// Forms of the pages: read strictly, and taken only from the page that was handed out.
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from './context.ts';
import { type Html, html, page } from './html.ts';

/** Shown as a page of its own with that status. */
export class PageError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'PageError';
    this.status = status;
    this.headers = headers;
  }
}

const MAX_FORM_BYTES = 16_384;

/**
 * The form, when it was sent by a page that we handed out to this browser: its token is derived
 * from `binding`, which only the cookie of that browser leads to, and a browser that says where it
 * comes from comes from here. Throws `PageError`.
 */
export async function readForm(
  ctx: Context,
  keys: readonly string[],
  binding: string,
): Promise<URLSearchParams> {
  if (!ctx.is('application/x-www-form-urlencoded')) throw new PageError(415, 'Send a form.');
  if (!sameOrigin(ctx)) throw new PageError(403, 'This form came from another website.');
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of ctx.req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_FORM_BYTES) throw new PageError(413, 'The form is too long.');
    chunks.push(chunk);
  }
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  const given = Buffer.from(form.get('form_token') ?? '');
  const valid = keys.some((key) => {
    const expected = Buffer.from(tokenOf(key, binding));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
  if (!valid) throw new PageError(403, 'This form is out of date. Open the page again.');
  return form;
}

/** Browsers name the origin with every POST; what is no browser has no cookies to misuse. */
function sameOrigin(ctx: Context): boolean {
  const site = ctx.get('sec-fetch-site');
  if (site !== '' && site !== 'same-origin' && site !== 'none') return false;
  const origin = ctx.get('origin');
  if (origin === '') return true;
  return URL.canParse(origin) && new URL(origin).host === ctx.get('host');
}

export function tokenField(keys: readonly string[], binding: string): Html {
  return html`<input type="hidden" name="form_token" value="${tokenOf(keys[0] ?? '', binding)}">`;
}

function tokenOf(key: string, binding: string): string {
  return createHmac('sha256', key).update(`form ${binding}`).digest('base64url');
}

/**
 * Forbids everything but this page's own form, which may lead on to `formTargets`: browsers hold
 * redirects that follow a form against that list too.
 */
export function contentPolicy(formTargets: readonly string[] = []): string {
  return [
    "default-src 'none'",
    "style-src 'self'",
    'img-src data:',
    // The protocol library's self-submitting forms add the digest of their script here.
    'script-src',
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

export function show(ctx: Context, title: string, body: Html, trouble?: string): void {
  ctx.type = 'html';
  ctx.body = page(title, body, trouble);
}

/** The origin of an address, for `contentPolicy`; nothing for what is none. */
export function originOf(address: unknown): readonly string[] {
  if (typeof address !== 'string' || !URL.canParse(address)) return [];
  const { origin } = new URL(address);
  return origin === 'null' ? [] : [origin];
}

const BROWSERS = ['Edg', 'OPR', 'Firefox', 'Chrome', 'Safari', 'curl', 'node'] as const;
const SYSTEMS = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS X', 'Linux'] as const;

/** "Firefox on Linux": what a person knows a device by. */
export function deviceOf(ctx: Context): string {
  const agent = ctx.get('user-agent');
  const browser = BROWSERS.find((name) => agent.includes(name));
  const system = SYSTEMS.find((name) => agent.includes(name));
  if (!browser && !system) return agent.slice(0, 60) || 'an unnamed device';
  return [browser ?? 'a browser', system && `on ${system}`].filter(Boolean).join(' ');
}
