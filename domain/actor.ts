// Who acts: named in every command, in every transaction and in the audit log.

export type Actor = {
  readonly kind: 'staff' | 'customer' | 'partner' | 'system';
  readonly id: string;
};

/** The database's name for an actor: `kind:id`. */
export function principalOf(actor: Actor): string {
  return `${actor.kind}:${actor.id}`;
}
