// The page on which a person lets a native application act for them.
import { signedInBy } from '../../../db/queries/signed-in.ts';
import { grantAsked } from '../server/accounts.ts';
import type { PageDeps, Step } from './deps.ts';
import { PageError, show, tokenField } from './forms.ts';
import { html } from './html.ts';
import { finish } from './steps.ts';

export async function askConsent(deps: PageDeps, step: Step): Promise<void> {
  const { interaction, ctx, provider } = step;
  const client = await provider.Client.find(String(interaction.params['client_id']));
  const at = `/sign-in/${interaction.uid}`;
  const field = tokenField(deps.cookieKeys, interaction.uid);
  const body = html`<p>${client?.clientName ?? 'An application'} on this computer asks to act for
you. Allow it only if you have just started it yourself.</p>
<form method="post" action="${at}/consent">${field}<button autofocus>Allow</button></form>
<form method="post" action="${at}/cancel">${field}<button>Refuse</button></form>`;
  show(ctx, 'Allow this application?', body);
}

export async function giveConsent(deps: PageDeps, step: Step): Promise<void> {
  const { interaction, provider } = step;
  const signedIn = interaction.session && (await signedInBy(deps.db, interaction.session.uid));
  if (interaction.prompt.name !== 'consent' || !signedIn) {
    throw new PageError(400, 'There is nothing to allow here.');
  }
  const grant = new provider.Grant({
    accountId: signedIn.id,
    clientId: String(interaction.params['client_id']),
  });
  grantAsked(grant, String(interaction.params['scope'] ?? ''), signedIn.kind);
  await finish(step, { consent: { grantId: await grant.save() } });
}
