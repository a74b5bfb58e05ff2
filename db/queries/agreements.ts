// Reads of rental agreements: their versions, their documents, and what a document says.
import { sql } from 'kysely';
import type { Mark } from '../../domain/inspection.ts';
import type { Quote } from '../../domain/pricing.ts';
import { rentersPrice } from '../../domain/voucher.ts';
import { type Acting, type Db, type Tx, transact } from '../client.ts';
import { payerSharesOf } from '../commands/payer-documents.ts';

const READER = 'system:documents';

export type AgreementVersion = {
  readonly version: number;
  /** Of the renter. */
  readonly language: string;
};

/** The newest, or the named one; undefined also for a rental that the caller does not see. */
export function agreementVersion(
  db: Db,
  acting: Acting,
  rentalId: string,
  version: number | undefined,
): Promise<AgreementVersion | undefined> {
  return transact(db, 'api_read', acting, async (tx) => {
    const { rows } = await sql<AgreementVersion>`select a.version,
        coalesce((select c.language from rentals.customer c
          where c.id = (a.facts->>'customerId')::uuid), 'en') as language
      from rentals.agreement a
      where a.rental_id = ${rentalId} and a.version = coalesce(${version ?? null}::int, a.version)
      order by a.version desc limit 1`.execute(tx);
    return rows[0];
  });
}

export type AgreementFile = {
  readonly rental_id: string;
  readonly version: number;
  readonly language: string;
  readonly sha256: string;
};

/** Undefined until it is written. */
export function agreementFile(
  db: Db,
  rentalId: string,
  version: number,
  language: string,
): Promise<AgreementFile | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const { rows } = await sql<AgreementFile>`select rental_id, version, language, sha256
      from rentals.agreement_file
      where rental_id = ${rentalId} and version = ${version} and language = ${language}`.execute(
      tx,
    );
    return rows[0];
  });
}

/** Names of persons are in here: it leaves the process as a document only. */
export type AgreementData = {
  readonly number: string;
  readonly version: number;
  readonly agreedAt: string;
  readonly lessor: string;
  readonly renter: string;
  readonly payer: string | null;
  readonly drivers: readonly string[];
  readonly vehicle: { readonly name: string; readonly plate: string; readonly vin: string | null };
  readonly className: string;
  readonly pickUpAt: string;
  readonly pickUpBranch: string;
  readonly pickUpZone: string;
  readonly checkedOutAt: string | null;
  readonly dueAt: string;
  readonly returnBranch: string;
  readonly returnZone: string;
  readonly odometerKm: number;
  readonly fuelEighths: number;
  readonly price: Quote;
  /** What comes after the return may be charged to the card so long; null where nobody agreed. */
  readonly chargedForDays: number | null;
  /** Null: none was completed before the keys went out. */
  readonly inspection: {
    readonly sealedSha256: string;
    readonly isSigned: boolean;
    readonly marks: readonly Mark[];
  } | null;
};

/** Undefined when there is no such version. Facts and plate are those of then, names those of now. */
export function agreementData(
  db: Db,
  rentalId: string,
  version: number,
): Promise<AgreementData | undefined> {
  return transact(db, 'api_read', READER, async (tx) => {
    const data = await read(tx, rentalId, version);
    return data && { ...data, price: rentersPrice(data.price, await payerSharesOf(tx, rentalId)) };
  });
}

async function read(tx: Tx, rentalId: string, version: number): Promise<AgreementData | undefined> {
  const { rows } = await sql<AgreementData>`
    select f.number, a.version, a.agreed_at as "agreedAt", e.name as lessor, r.name as renter,
      (select p.name from rentals.customer p where p.id = f."payerId") as payer,
      (select coalesce(jsonb_agg(d.name order by d.name), '[]') from rentals.customer d
        where d.id in (select jsonb_array_elements_text(f."driverIds")::uuid)) as drivers,
      jsonb_build_object('name', v.make || ' ' || v.model, 'vin', v.vin,
        'plate', coalesce((select p.plate from vehicles.plate p
          where p.vehicle_id = v.id and p.valid @> a.agreed_at), v.plate)) as vehicle,
      k.name as "className", f."pickUpAt", o.name as "pickUpBranch",
      o.time_zone as "pickUpZone", f."checkedOutAt", f."dueAt", b.name as "returnBranch",
      b.time_zone as "returnZone", f."odometerKm", f."fuelEighths", f.price,
      (f."delayedCharges"->>'windowDays')::int as "chargedForDays",
      (select jsonb_build_object('sealedSha256', i.sealed_sha256,
          'isSigned', exists (select from rentals.inspection_file s
            where s.inspection_id = i.id and s.kind = 'signature'),
          'marks', (select coalesce(jsonb_agg(jsonb_build_object('panel', m.panel,
              'kind', m.kind, 'severity', m.severity, 'count', m.count)
              order by m.panel, m.kind), '[]')
            from rentals.inspection_mark m where m.inspection_id = i.id))
        from rentals.inspection i where i.id = f."inspectionId") as inspection
    from rentals.agreement a
    cross join lateral jsonb_to_record(a.facts) as f (number text, "entityId" text,
      "branchId" text, "returnBranchId" text, "classId" text, "vehicleId" uuid,
      "customerId" uuid, "payerId" uuid, "driverIds" jsonb, "pickUpAt" timestamptz,
      "dueAt" timestamptz, "checkedOutAt" timestamptz, "odometerKm" int, "fuelEighths" int,
      price jsonb, "delayedCharges" jsonb, "inspectionId" uuid)
    join accounting.legal_entity e on e.id = f."entityId"
    join rentals.customer r on r.id = f."customerId"
    join vehicles.vehicle v on v.id = f."vehicleId"
    join vehicles.class k on k.id = f."classId"
    join vehicles.branch o on o.id = f."branchId"
    join vehicles.branch b on b.id = f."returnBranchId"
    where a.rental_id = ${rentalId} and a.version = ${version}`.execute(tx);
  return rows[0];
}
