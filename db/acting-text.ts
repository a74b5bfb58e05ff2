// Who acts, as statements at the beginning of a transaction's message.
import { literal } from './literal.ts';

export type Acting = {
  readonly role: string;
  readonly principal: string;
  /** Which rows policies let through (`RowAccess` of client.ts). */
  readonly scope: string;
};

/** Each setting ends with the transaction. Values stand in the text: such a message has no parameters. */
export function actingText({ role, principal, scope }: Acting): string {
  return (
    `set local role ${literal(role)}; set local app.principal = ${literal(principal)}; ` +
    `set local app.scope = ${literal(scope)}`
  );
}
