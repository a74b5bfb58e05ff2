// Reads of inspections: their marks, their files, and what one at the return is compared with.
import { sql } from 'kysely';
import type { Mark } from '../../domain/inspection.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import type { InspectionFileRow, InspectionRow } from '../commands/inspections.ts';

export type SeenMark = Mark & { readonly note: string | null };

export type WholeInspection = {
  readonly row: InspectionRow;
  readonly marks: readonly SeenMark[];
  readonly files: readonly InspectionFileRow[];
  /** Of one at the return: the marks at the hand-over, null when there was no inspection. */
  readonly out: readonly Mark[] | null;
};

/** In the order in which they were begun, drafts too. */
export function inspectionsOfRental(
  db: Db,
  acting: Acting,
  rentalId: string,
): Promise<readonly InspectionRow[]> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<InspectionRow>`select * from rentals.inspection
      where rental_id = ${rentalId} order by id limit 200`.execute(tx);
    return rows;
  });
}

export function inspectionById(
  db: Db,
  acting: Acting,
  id: string,
): Promise<WholeInspection | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<InspectionRow>`select * from rentals.inspection
      where id = ${id}`.execute(tx);
    const [row] = rows;
    if (row === undefined) return undefined;
    const files = await sql<InspectionFileRow>`select * from rentals.inspection_file
      where inspection_id = ${id} order by id`.execute(tx);
    const out = row.kind === 'in' ? await outMarksFor(tx, id) : null;
    return { row, marks: await marksOf(tx, id), files: files.rows, out };
  });
}

export function inspectionFile(
  db: Db,
  acting: Acting,
  inspectionId: string,
  id: string,
): Promise<InspectionFileRow | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    // The signature of an erased person is gone; its row is what was sealed.
    const { rows } = await sql<InspectionFileRow>`select * from rentals.inspection_file f
      where id = ${id} and inspection_id = ${inspectionId}
        and (kind <> 'signature' or not exists (select from rentals.inspection i
          join rentals.rental r on r.id = i.rental_id join rentals.customer c on c.id = r.customer_id
          where i.id = f.inspection_id and c.erased_at is not null))`.execute(tx);
    return rows[0];
  });
}

export async function marksOf(tx: Tx, inspectionId: string): Promise<readonly SeenMark[]> {
  const { rows } = await sql<SeenMark>`select panel, kind, severity, count, note
    from rentals.inspection_mark where inspection_id = ${inspectionId}
    order by panel, kind`.execute(tx);
  return rows;
}

/** Of the newest inspection at the hand-over of the same rental and vehicle. */
export async function outMarksFor(tx: Tx, inspectionId: string): Promise<readonly Mark[] | null> {
  const { rows } = await sql<{ id: string }>`select o.id from rentals.inspection i
    join rentals.inspection o on o.rental_id = i.rental_id and o.vehicle_id = i.vehicle_id
      and o.kind = 'out' and o.completed_at is not null
    where i.id = ${inspectionId} and not exists (select from rentals.inspection c
      where c.corrects = o.id and c.completed_at is not null)`.execute(tx);
  const [out] = rows;
  return out === undefined ? null : marksOf(tx, out.id);
}
