// What a line of a price or an invoice is called in the languages of our documents.
import type { DocumentLanguage } from './words.ts';

type Names = Readonly<Record<string, string>>;

/** By the whole code, else by its first part, to which the plan's own code is added. */
const NAMES: Readonly<Record<DocumentLanguage, Names>> = {
  en: {
    'time.month': 'Hire, months',
    'time.week': 'Hire, weeks',
    'time.day': 'Hire, days',
    'time.hour': 'Hire, hours',
    'time.part-day': 'Hire, part of a day',
    'time.weekend': 'Hire, weekend',
    'time.extension': 'Hire, extension',
    time: 'Hire',
    discount: 'Discount',
    'beyond.time': 'Hire beyond the voucher',
    beyond: 'Beyond the voucher:',
    coverage: 'Coverage',
    extra: 'Extra',
    'driver.additional': 'Additional driver',
    driver: 'Driver',
    'one-way': 'One-way hire',
    'fee.out-of-hours-pick-up': 'Pick-up out of hours',
    'fee.out-of-hours-return': 'Return out of hours',
    'fee.return-change': 'Change of the return',
    'fee.late-return': 'Late return',
    fee: 'Fee',
    surcharge: 'Surcharge',
    'mileage.over': 'Distance beyond what is free',
    'fuel.used': 'Fuel used',
    'fuel.prepaid': 'Fuel, prepaid',
    'fuel.service': 'Refuelling service',
    percentage: 'Fee',
    billed: 'Invoiced before',
    damage: 'Damage',
  },
  de: {
    'time.month': 'Miete, Monate',
    'time.week': 'Miete, Wochen',
    'time.day': 'Miete, Tage',
    'time.hour': 'Miete, Stunden',
    'time.part-day': 'Miete, Teil eines Tages',
    'time.weekend': 'Miete, Wochenende',
    'time.extension': 'Miete, Verlängerung',
    time: 'Miete',
    discount: 'Rabatt',
    'beyond.time': 'Miete über den Voucher hinaus',
    beyond: 'Über den Voucher hinaus:',
    coverage: 'Haftungsbeschränkung',
    extra: 'Zusatzleistung',
    'driver.additional': 'Zusätzlicher Lenker',
    driver: 'Lenker',
    'one-way': 'Einwegmiete',
    'fee.out-of-hours-pick-up': 'Abholung außerhalb der Öffnungszeit',
    'fee.out-of-hours-return': 'Rückgabe außerhalb der Öffnungszeit',
    'fee.return-change': 'Änderung der Rückgabe',
    'fee.late-return': 'Verspätete Rückgabe',
    fee: 'Gebühr',
    surcharge: 'Zuschlag',
    'mileage.over': 'Mehrkilometer',
    'fuel.used': 'Verbrauchter Treibstoff',
    'fuel.prepaid': 'Treibstoff, vorausbezahlt',
    'fuel.service': 'Betankung',
    percentage: 'Gebühr',
    billed: 'Bereits berechnet',
    damage: 'Schaden',
  },
};

/** A code of which nobody thought here stands for itself: a document is never refused for it. */
export function lineName(code: string, language: DocumentLanguage): string {
  const names = NAMES[language];
  const whole = names[code];
  if (whole !== undefined) return whole;
  const [kind = code, ...rest] = code.split('.');
  const name = names[kind];
  return name === undefined ? code : [name, ...rest].join(' ');
}
