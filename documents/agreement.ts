// The rental agreement as a PDF: who hires what, from when to when, at which price, in which state.
import type { AgreementData } from '../db/queries/agreements.ts';
import type { Quote } from '../domain/pricing.ts';
import { type Figures, figuresIn } from './figures.ts';
import { type Sheet, written } from './page.ts';
import { drawPrice } from './price.ts';
import { type DocumentLanguage, WORDS } from './words.ts';

type Words = (typeof WORDS)[DocumentLanguage];

export function agreementPdf(data: AgreementData, language: DocumentLanguage): Promise<Uint8Array> {
  const words = WORDS[language];
  const figures = figuresIn(language, data.price.currency);
  const title = `${words.agreement} ${data.number}`;
  const agreedAt = figures.time(data.agreedAt, data.pickUpZone);
  const version = `${words.version} ${data.version}, ${agreedAt}`;
  const foot = (page: number, pages: number) =>
    `${title} · ${words.version} ${data.version} · ${words.page} ${page} ${words.of} ${pages}`;
  return written({ title, language, writtenAt: data.agreedAt, foot }, (sheet) => {
    sheet.title(title, version);
    drawParties(sheet, data, words);
    drawTimes(sheet, data, words, figures);
    drawPrice(sheet, data.price, language);
    drawCover(sheet, data.price, words, figures);
    if (data.chargedForDays !== null) drawConsent(sheet, data.chargedForDays, words);
    drawCondition(sheet, data, words, figures);
    sheet.section(words.signatures);
    sheet.signatures([words.forLessor, words.renter]);
  });
}

function drawParties(sheet: Sheet, data: AgreementData, words: Words): void {
  sheet.section(words.parties);
  sheet.value(words.lessor, data.lessor);
  sheet.value(words.renter, data.renter);
  if (data.payer !== null) sheet.value(words.payer, data.payer);
  if (data.drivers.length > 0) sheet.value(words.drivers, data.drivers.join('\n'));
  sheet.section(words.vehicle);
  sheet.value(words.vehicle, data.vehicle.name);
  sheet.value(words.plate, data.vehicle.plate);
  if (data.vehicle.vin !== null) sheet.value(words.vin, data.vehicle.vin);
  sheet.value(words.class, data.className);
}

function drawTimes(sheet: Sheet, data: AgreementData, words: Words, { time }: Figures): void {
  const at = (instant: string, zone: string, branch: string) => `${time(instant, zone)}, ${branch}`;
  sheet.section(words.times);
  sheet.value(words.pickUp, at(data.pickUpAt, data.pickUpZone, data.pickUpBranch));
  if (data.checkedOutAt !== null) {
    sheet.value(words.handedOut, time(data.checkedOutAt, data.pickUpZone));
  }
  sheet.value(words.due, at(data.dueAt, data.returnZone, data.returnBranch));
}

function drawCover(sheet: Sheet, { lines }: Quote, words: Words, { amount }: Figures): void {
  sheet.section(words.cover);
  const covers = lines.filter(({ code }) => code.startsWith('coverage.'));
  if (covers.length === 0) sheet.paragraph(words.noCover);
  for (const { code, basis } of covers) {
    const excess = basis['excessMinor'];
    const borne = excess === undefined ? '' : `${words.excess} ${amount(excess)}`;
    sheet.value(code.slice('coverage.'.length), borne);
  }
}

/** Above the signature, because it is what is signed (decisions.md 17). */
function drawConsent(sheet: Sheet, days: number, words: Words): void {
  sheet.section(words.afterReturn);
  sheet.paragraph(`${words.chargedAfterReturn} ${days}`);
}

function drawCondition(
  sheet: Sheet,
  { odometerKm, fuelEighths, inspection }: AgreementData,
  words: Words,
  { count }: Figures,
): void {
  sheet.section(words.condition);
  sheet.value(words.odometer, `${count(odometerKm)} km`);
  sheet.value(words.fuel, `${fuelEighths}/8 (${words.eighths})`);
  if (inspection === null) {
    sheet.paragraph(words.notInspected);
    return;
  }
  const marks = inspection.marks.map(
    ({ panel, kind, severity, count: n }) => `${panel}: ${n} × ${kind} (${severity})`,
  );
  sheet.value(words.damage, marks.length === 0 ? words.none : marks.join('\n'));
  const seal = `${words.seal} ${inspection.sealedSha256}`;
  sheet.value(words.inspection, inspection.isSigned ? `${seal}, ${words.signed}` : seal);
}
