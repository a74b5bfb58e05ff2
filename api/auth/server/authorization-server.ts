// The authorization server as one request handler: it serves the protocol, its pages and its keys.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientMetadata, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Logger } from 'pino';
import type { Db } from '../../../db/client.ts';
import { forgetArtifacts } from '../../../db/commands/oidc.ts';
import type { Envelope } from '../../../db/envelope.ts';
import { withOrigin } from '../../../db/origin.ts';
import { peerOfRequest } from '../../rate-limits/peer.ts';
import type { PageDeps } from '../pages/deps.ts';
import { pages } from '../pages/router.ts';
import type { TryDeps } from '../pages/tries.ts';
import { type UpstreamSettings, upstreamProvider } from '../pages/upstream.ts';
import type { SignIn } from '../sign-in.ts';
import { ownClients, secretMatches, type WebAddresses } from './clients.ts';
import { configuration } from './configuration.ts';
import { type KeySet, openSigningKeys, type SigningKeys } from './keys.ts';
import { observed } from './observe.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

type Deps = TryDeps & {
  readonly db: Db;
  readonly envelope: Envelope;
  readonly signIn: SignIn;
  readonly log: Logger;
  /** The issuer: where people and applications reach this server, without a slash at the end. */
  readonly publicUrl: string;
  readonly cookieKeys: readonly string[];
  readonly web?: WebAddresses;
  /** Further applications, besides ours and the partners'. */
  readonly clients?: readonly ClientMetadata[];
  readonly upstream?: UpstreamSettings | undefined;
};

export type AuthorizationServer = {
  readonly owns: (path: string) => boolean;
  readonly handle: Handler;
  /** Announces the next signing key; see `SigningKeys`. */
  readonly rotate: (announceS?: number) => Promise<boolean>;
  /** To be called each few seconds: takes over keys that others added, or whose time has come. */
  readonly refreshKeys: () => Promise<void>;
  /** To be called each few minutes: rotates old keys and forgets what is over. */
  readonly upkeep: () => Promise<{ readonly forgotten: number; readonly rotated: boolean }>;
};

const PATHS = ['/oauth', '/.well-known', '/sign-in', '/account'] as const;

/** Opens its keys at the first request, so that it starts while the database is away. */
export function createAuthorizationServer(deps: Deps): AuthorizationServer {
  let opened: Promise<Live> | undefined;
  const live = () => {
    opened ??= openSigningKeys(deps.db, deps.envelope).then(
      (keys) => ({ keys, handler: handlerFor(deps, keys.current()) }),
      (error: unknown) => {
        opened = undefined;
        throw error;
      },
    );
    return opened;
  };
  const refreshKeys = async () => {
    const { keys } = await live();
    if (!(await keys.refresh())) return;
    opened = Promise.resolve({ keys, handler: handlerFor(deps, keys.current()) });
  };
  return {
    owns: (path) => PATHS.some((at) => path === at || path.startsWith(`${at}/`)),
    handle: observed(deps.log, (request, response) => {
      live().then(
        ({ handler }) => {
          const peer = peerOfRequest(request, deps.proxies);
          const origin = `${peer} request ${response.getHeader('x-request-id')}`;
          return withOrigin(origin, async () => handler(request, response));
        },
        (error: unknown) => {
          deps.log.error({ err: error }, 'the authorization server has no keys');
          refuseForNow(response);
        },
      );
    }),
    rotate: async (announceS) => {
      const rotated = await (await live()).keys.rotate(announceS);
      await refreshKeys();
      return rotated;
    },
    refreshKeys,
    upkeep: async () => {
      const rotated = await (await live()).keys.rotateIfOld();
      await refreshKeys();
      return { forgotten: await forgetArtifacts(deps.db), rotated };
    },
  };
}

type Live = { readonly keys: SigningKeys; readonly handler: Handler };

function refuseForNow(response: ServerResponse): void {
  const headers = { 'content-type': 'application/json', 'retry-after': '1' };
  response.writeHead(503, { ...headers, 'cache-control': 'no-store' });
  response.end(JSON.stringify({ error: 'temporarily_unavailable' }));
}

/** The library takes its keys once, so a new set of keys is a new server; its state is all stored. */
function handlerFor(deps: Deps, keys: KeySet): Handler {
  const { db, signIn, publicUrl, cookieKeys } = deps;
  const secure = publicUrl.startsWith('https:');
  const web = deps.web ?? {
    redirectUris: [`${publicUrl}/docs/oauth2-redirect.html`],
    postLogoutRedirectUris: [`${publicUrl}/docs`],
  };
  const provider = new Provider(
    publicUrl,
    configuration({
      db,
      keys: keys.privateKeys,
      clients: [...ownClients(publicUrl, web), ...(deps.clients ?? [])],
      cookieKeys,
      secure,
      endSession: (sessionId, reason) => signIn.endSession({ sessionId, reason }),
    }),
  );
  provider.Client.prototype.compareClientSecret = function compare(given) {
    return secretMatches(this.clientSecret, given);
  };
  provider.on('server_error', (_ctx, error) => deps.log.error({ err: error }, 'sign-in failed'));
  provider.silent = true;
  provider.use(pages(pageDeps(deps, secure), provider));
  provider.use(async (ctx, next) => {
    await next();
    const oidc = ctx['oidc'] as KoaContextWithOIDC['oidc'] | undefined;
    const session = oidc?.session as { uid: string; destroyed?: boolean } | undefined;
    if (oidc?.route !== 'end_session_confirm' || !session?.destroyed) return;
    // The library forgets the browser's session; ours is what every token is checked against.
    if (UUID.test(session.uid)) {
      await signIn.endSession({ sessionId: session.uid, reason: 'signed-out' });
    }
  });
  // It answers failures itself.
  const answer = provider.callback();
  return (request, response) => void answer(request, response);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function pageDeps(deps: Deps, secure: boolean): PageDeps {
  const { db, signIn, publicUrl, cookieKeys, limiter, proxies } = deps;
  return {
    db,
    signIn,
    issuer: publicUrl,
    cookieKeys,
    secure,
    upstream: deps.upstream && upstreamProvider(db, publicUrl, deps.upstream),
    limiter,
    proxies,
  };
}
