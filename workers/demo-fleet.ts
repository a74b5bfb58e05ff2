// The demo company's vehicles: what they are, whose they are, and the papers of some of them.
import { v7 as uuidv7 } from 'uuid';
import type { Db } from '../db/client.ts';
import { setUpgrades } from '../db/commands/upgrades.ts';
import type { VehicleData } from '../db/commands/vehicle-columns.ts';
import { addDocument } from '../db/commands/vehicle-documents.ts';
import { registerVehicle } from '../db/commands/vehicles.ts';
import { classById, listVehicles } from '../db/queries/vehicles.ts';
import { vinCheckDigit } from '../domain/vin.ts';
import type { ObjectStore } from '../storage/object-key.ts';

const LOADER = 'system:demo-loader';
const VEHICLES_PER_POOL = 6;
const DAY_MS = 86_400_000;

type Model = Pick<VehicleData, 'make' | 'model' | 'energy' | 'tankLitres' | 'batteryKwh'> & {
  readonly classId: string;
  /** World maker identifier and the maker's own description: the first eight places of the VIN. */
  readonly vinStart: string;
  readonly costMinor: number;
};

const MODELS: readonly Model[] = [
  {
    classId: 'ECMR',
    make: 'Renault',
    model: 'Clio',
    vinStart: 'VF1RJA00',
    energy: 'petrol',
    tankLitres: 42,
    costMinor: 1_650_000,
  },
  {
    classId: 'CDMR',
    make: 'Volkswagen',
    model: 'Golf',
    vinStart: 'WVWZZZCD',
    energy: 'diesel',
    tankLitres: 50,
    costMinor: 2_400_000,
  },
  {
    classId: 'IDAH',
    make: 'Toyota',
    model: 'Corolla',
    vinStart: 'JTNB23HK',
    energy: 'hybrid',
    tankLitres: 43,
    batteryKwh: 1.3,
    costMinor: 2_750_000,
  },
  {
    classId: 'SFAR',
    make: 'Skoda',
    model: 'Kodiaq',
    vinStart: 'TMBJM9NS',
    energy: 'diesel',
    tankLitres: 58,
    costMinor: 3_900_000,
  },
];

const UPGRADES = { ECMR: ['CDMR', 'IDAH'], CDMR: ['IDAH', 'SFAR'], IDAH: ['SFAR'] } as const;

/** Sets each ladder once; the classes must be there. */
export async function loadUpgrades(db: Db): Promise<void> {
  for (const [classId, upgrades] of Object.entries(UPGRADES)) {
    const known = await classById(db, classId);
    if (known?.version === 1) await setUpgrades(db, LOADER, classId, 1, upgrades);
  }
}

/** Fills the branch up to six vehicles a class; the last of each is leased. */
export async function loadVehicles(db: Db, objects: ObjectStore, branchId: string): Promise<void> {
  for (const { classId, vinStart, costMinor, ...model } of MODELS) {
    const filter = { branchId, classId, limit: VEHICLES_PER_POOL };
    const { rows } = await listVehicles(db, LOADER, filter);
    for (let n = rows.length; n < VEHICLES_PER_POOL; n += 1) {
      const { id } = await registerVehicle(db, LOADER, {
        ...model,
        ...ownerOf(n, costMinor),
        id: uuidv7(),
        plate: `${branchId}-${classId}-${n + 1}`,
        plateJurisdiction: 'AT',
        vin: vinOf(vinStart, branchId, n),
        classId,
        branchId,
        modelYear: 2026,
        odometerKm: 10_000 + 1_000 * n,
      });
      if (n === 0) await loadPapers(db, objects, id);
    }
  }
}

type Owner = Pick<VehicleData, 'ownership' | 'supplier' | 'acquisition'>;

function ownerOf(n: number, costMinor: number): Owner {
  if (n === VEHICLES_PER_POOL - 1) return { ownership: 'leased', supplier: 'Demo Leasing' };
  const acquisition = {
    acquiredOn: '2026-03-02',
    availableForUseOn: '2026-03-10',
    costMinor,
    currency: 'EUR',
    residualMinor: Math.round(costMinor * 0.6),
  };
  return { ownership: 'owned', acquisition };
}

/** Year 2026 is T; the serial number says which one of the demo's it is. */
function vinOf(start: string, branchId: string, n: number): string {
  const serial = [...branchId].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 0);
  const vin = `${start}0T1${String((serial % 10_000) * 100 + n).padStart(6, '0')}`;
  return `${vin.slice(0, 8)}${vinCheckDigit(vin)}${vin.slice(9)}`;
}

/** One page that says what it is, and a registration and an insurance of it. */
async function loadPapers(db: Db, objects: ObjectStore, vehicleId: string): Promise<void> {
  const page = Buffer.from('%PDF-1.4\n% A paper of the demo company.\ntrailer<<>>\n%%EOF\n');
  const sha256 = await objects.put(page, 'application/pdf');
  const file = { mediaType: 'application/pdf', sha256, sizeBytes: page.length };
  for (const { kind, days } of [
    { kind: 'registration', days: 700 },
    // Soon enough to be on the list of what expires, and after everything that the demo books.
    { kind: 'insurance', days: 45 },
  ] as const) {
    const expiresOn = new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);
    const paper = { id: uuidv7(), vehicleId, kind, validFrom: '2026-03-02', expiresOn };
    await addDocument(db, LOADER, { ...paper, ...file });
  }
}
