// Notifications over HTTP: what customers were written, once more when a person says so, and opt-outs.
import { createRoute, z } from '@hono/zod-openapi';
import { resendNotification, setOptOuts } from '../../db/commands/notifications.ts';
import { listNotifications } from '../../db/queries/notifications.ts';
import { customerById } from '../../db/queries/rentals.ts';
import { secured } from '../auth/access.ts';
import { BOOKS, COUNTER } from '../auth/roles.ts';
import { rowAccessOf } from '../auth/scope.ts';
import type { ApiDeps } from '../deps.ts';
import { IdempotencyHeader, idempotent } from '../idempotency.ts';
import { jsonBody } from '../middleware/body.ts';
import { found } from '../problems.ts';
import { type ApiRouter, apiRouter } from '../router.ts';
import { Id, jsonAnswer, jsonRequest, page, pageOf, problems } from '../schemas/common.ts';
import {
  Notification,
  NotificationList,
  NotificationSettings,
  NotificationSettingsChange,
  notificationView,
  settingsView,
} from '../schemas/notifications.ts';
import { etag, IfMatchHeader, knownVersion } from '../versions.ts';

const tags = ['Notifications'];
const params = z.object({ id: Id });
const settingsPath = '/customers/{id}/notification-settings';

const list = createRoute({
  ...secured({ scope: 'rentals:read', roles: [...COUNTER, ...BOOKS, 'auditor'] }),
  method: 'get',
  path: '/notifications',
  tags,
  summary: 'Letters to customers, by rental, state and kind; neither addresses nor texts',
  request: { query: NotificationList },
  responses: { 200: jsonAnswer('A page', pageOf(Notification)), ...problems },
});

const resend = createRoute({
  ...secured({ scope: 'rentals:write', roles: [...COUNTER, ...BOOKS] }),
  method: 'post',
  path: '/notifications/{id}/resend',
  tags,
  summary: 'Send a letter once more, to the address that the customer has now',
  description: '409 `invalid-state` while it is on its way.',
  request: { params, headers: IdempotencyHeader },
  responses: { 200: jsonAnswer('As it is now', Notification), ...problems },
});

const readSettings = createRoute({
  ...secured({ scope: 'customers:read', roles: [...COUNTER, 'auditor'], customers: 'own' }),
  method: 'get',
  path: settingsPath,
  tags,
  summary: 'In which language a customer is written to, and about what not',
  request: { params },
  responses: { 200: jsonAnswer('The settings', NotificationSettings), ...problems },
});

const writeSettings = createRoute({
  ...secured({ scope: 'customers:write', roles: COUNTER }, jsonBody),
  method: 'put',
  path: settingsPath,
  tags,
  summary: 'Replace what a customer is not written to about; 412 when it was changed meanwhile',
  request: { params, headers: IfMatchHeader, body: jsonRequest(NotificationSettingsChange) },
  responses: { 200: jsonAnswer('As it is now', NotificationSettings), ...problems },
});

export function notificationRoutes(deps: ApiDeps): ApiRouter {
  const { db } = deps;
  return apiRouter()
    .openapi(list, async (c) => {
      const { cursor: after, ...filter } = c.req.valid('query');
      const found = await listNotifications(db, rowAccessOf(c), { after, ...filter });
      return c.json(
        page(found, ({ id }) => id, notificationView),
        200,
      );
    })
    .openapi(resend, (c) =>
      idempotent(c, deps, async (commandId) => {
        const { id } = c.req.valid('param');
        const row = await resendNotification(db, rowAccessOf(c), id, commandId);
        return { status: 200, body: notificationView(row) };
      }),
    )
    .openapi(readSettings, async (c) => {
      const { id } = c.req.valid('param');
      const row = found(await customerById(db, rowAccessOf(c), id), 'customer');
      return c.json(settingsView(row), 200, etag(row.version));
    })
    .openapi(writeSettings, async (c) => {
      const { id } = c.req.valid('param');
      const { optOuts } = c.req.valid('json');
      const row = await setOptOuts(db, rowAccessOf(c), id, knownVersion(c), optOuts);
      return c.json(settingsView(row), 200, etag(row.version));
    });
}
