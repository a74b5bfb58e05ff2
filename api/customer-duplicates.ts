// Who may be the same customer: the sealed licence is opened here to be looked for, and shown to nobody.
import type { RowAccess } from '../db/client.ts';
import { birthDigests, licenceDigests, licenceOf } from '../db/commands/licences.ts';
import { duplicatesOf, type PossibleDuplicate } from '../db/queries/customers.ts';
import type { ApiDeps } from './deps.ts';

export async function possibleDuplicates(
  { db, envelope }: Pick<ApiDeps, 'db' | 'envelope'>,
  acting: RowAccess,
  id: string,
): Promise<readonly PossibleDuplicate[]> {
  const licence = (await licenceOf(db, envelope, acting, id))?.licence;
  return duplicatesOf(db, acting, id, {
    licence: licence ? licenceDigests(envelope, licence.number) : [],
    birth: licence ? birthDigests(envelope, licence.birthDate) : [],
  });
}
