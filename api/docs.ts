// The API's own description: the OpenAPI document, and pages to browse it, from this server alone.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { Hono } from 'hono';
import { SECURITY_SCHEMES } from './auth/access.ts';
import { DOCS_CLIENT, DOCS_REDIRECT } from './auth/server/clients.ts';
import type { ApiEnv } from './deps.ts';
import { ProblemError } from './problems.ts';

const ABOUT = {
  openapi: '3.1.0',
  servers: [{ url: '/' }],
  info: {
    title: 'Forecourt',
    version: '1',
    description:
      'Vehicle rental: fleet, availability, quotes, rentals and their accounting. Instants are ' +
      'ISO 8601 with an offset, answered in UTC; money is integer minor units with a currency. ' +
      'Every refusal is a problem (RFC 9457) whose `type` ends in a stable slug.',
  },
};

/** Scripts and styles from here only; the pages style elements inline, and icons are data URIs. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
  "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Forecourt API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="pages"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#pages', deepLinking: true, validatorUrl: null,
  oauth2RedirectUrl: location.origin + '${DOCS_REDIRECT}',
});
window.ui.initOAuth({ clientId: '${DOCS_CLIENT}', usePkceWithAuthorizationCodeGrant: true });
`;

const FILES: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'oauth2-redirect.js': 'text/javascript; charset=utf-8',
};

/** Where a sign-in from the pages comes back, with a code in its address: not to be kept. */
const BACK = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Forecourt API</title></head>
<body><script src="/docs/oauth2-redirect.js"></script></body>
</html>
`;

/** `app` must have all its routes: the document is made once, when it is first asked for. */
export function docs(app: OpenAPIHono<ApiEnv>): Hono<ApiEnv> {
  for (const [name, scheme] of Object.entries(SECURITY_SCHEMES)) {
    app.openAPIRegistry.registerComponent('securitySchemes', name, scheme);
  }
  let document: string | undefined;
  return new Hono<ApiEnv>()
    .get('/openapi.json', (c) => {
      document ??= JSON.stringify(named(app.getOpenAPI31Document(ABOUT)));
      return c.body(document, 200, { 'content-type': 'application/json' });
    })
    .get('/docs', (c) => c.body(PAGE, 200, page('text/html; charset=utf-8')))
    .get(DOCS_REDIRECT, (c) =>
      c.body(BACK, 200, { ...page('text/html; charset=utf-8'), 'cache-control': 'no-store' }),
    )
    .get('/docs/start.js', (c) => c.body(START, 200, page('text/javascript; charset=utf-8')))
    .get('/docs/:file', async (c) => {
      const name = c.req.param('file');
      const type = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
      if (type === undefined) throw new ProblemError('not-found', 'There is nothing here.');
      const path = fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`));
      return c.body(new Uint8Array(await readFile(path)), 200, {
        ...page(type),
        'cache-control': 'public, max-age=86400',
      });
    });
}

type Document = ReturnType<OpenAPIHono<ApiEnv>['getOpenAPI31Document']>;
type Operation = { operationId?: string; readonly tags?: readonly string[] };

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

/** Gives each operation a name for generated clients, and lists the tags that they use. */
function named(document: Document): Document {
  const tags = new Set<string>();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = (item as Partial<Record<string, Operation>>)[method];
      if (operation === undefined) continue;
      operation.operationId ??= operationId(method, path);
      for (const tag of operation.tags ?? []) tags.add(tag);
    }
  }
  return { ...document, tags: [...tags].sort().map((name) => ({ name })) };
}

/** `post /api/v1/rentals/{id}/check-out` is `postRentalsIdCheckOut`. */
function operationId(method: string, path: string): string {
  const words = path.replace('/api/v1', '').split(/[^A-Za-z0-9]+/);
  return words.reduce((name, word) => name + word.charAt(0).toUpperCase() + word.slice(1), method);
}

function page(type: string): Record<string, string> {
  return { 'content-type': type, 'content-security-policy': PAGE_POLICY };
}
