// ACRISS codes: four letters that say what a class of vehicles is, and the same in words.

const POSITIONS = ['category', 'type', 'transmission', 'fuel'] as const;
export type AcrissPosition = (typeof POSITIONS)[number];

/** Source: the industry's matrix (acriss.org), one letter a meaning. */
const MEANINGS: Readonly<Record<AcrissPosition, Readonly<Record<string, string>>>> = {
  category: {
    ...{ M: 'Mini', N: 'Mini elite', E: 'Economy', H: 'Economy elite' },
    ...{ C: 'Compact', D: 'Compact elite', I: 'Intermediate', J: 'Intermediate elite' },
    ...{ S: 'Standard', R: 'Standard elite', F: 'Full-size', G: 'Full-size elite' },
    ...{ P: 'Premium', U: 'Premium elite', L: 'Luxury', W: 'Luxury elite' },
    ...{ O: 'Oversize', X: 'Special' },
  },
  type: {
    ...{ B: '2/3 doors', C: '2/4 doors', D: '4/5 doors', W: 'Wagon/estate', V: 'Passenger van' },
    ...{ L: 'Limousine/sedan', S: 'Sport', T: 'Convertible', F: 'SUV', J: 'Open-air all-terrain' },
    ...{ X: 'Special', P: 'Pick-up, single cab', Q: 'Pick-up, double cab', Z: 'Special offer' },
    ...{ E: 'Coupé', M: 'Monospace', R: 'Recreational vehicle', H: 'Motor home' },
    ...{ Y: 'Two-wheeler', N: 'Roadster', G: 'Crossover', K: 'Commercial van/truck' },
  },
  transmission: {
    ...{ M: 'Manual', N: 'Manual, 4WD', C: 'Manual, AWD' },
    ...{ A: 'Automatic', B: 'Automatic, 4WD', D: 'Automatic, AWD' },
  },
  fuel: {
    ...{ R: 'Unspecified fuel, air conditioning', N: 'Unspecified fuel, no air conditioning' },
    ...{ D: 'Diesel, air conditioning', Q: 'Diesel, no air conditioning' },
    ...{ H: 'Hybrid', I: 'Plug-in hybrid' },
    ...{ E: 'Electric, under 400 km', C: 'Electric, 400 km and more' },
    ...{ L: 'LPG/gas, air conditioning', S: 'LPG/gas, no air conditioning' },
    ...{ A: 'Hydrogen, air conditioning', B: 'Hydrogen, no air conditioning' },
    ...{ M: 'Multi-fuel, air conditioning', F: 'Multi-fuel, no air conditioning' },
    ...{ V: 'Petrol, air conditioning', Z: 'Petrol, no air conditioning' },
    ...{ U: 'Ethanol, air conditioning', X: 'Ethanol, no air conditioning' },
  },
};

/** The first position whose letter means nothing; null for a sound code. */
export function acrissFault(code: string): AcrissPosition | null {
  const fault = POSITIONS.find((position, at) => MEANINGS[position][code[at] ?? ''] === undefined);
  return fault ?? (code.length === POSITIONS.length ? null : 'fuel');
}

export type AcrissWords = { readonly [P in AcrissPosition]: string };

/** The code in words; null for one that `acrissFault` finds fault with. */
export function acrissWords(code: string): AcrissWords | null {
  if (acrissFault(code) !== null) return null;
  const word = (position: AcrissPosition, at: number) => MEANINGS[position][code[at] ?? ''] ?? '';
  return {
    category: word('category', 0),
    type: word('type', 1),
    transmission: word('transmission', 2),
    fuel: word('fuel', 3),
  };
}
