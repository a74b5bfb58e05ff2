// The letters in German.
import type { Language } from './template.ts';

export const de: Language = {
  locale: 'de-AT',
  opening: 'Guten Tag {customer},',
  closing: 'Freundliche Grüße\n{pickUpBranch}',
  decline:
    'Wenn Sie solche Nachrichten nicht mehr möchten, sagen Sie es in einer unserer Filialen.',
  letters: {
    confirmation: {
      subject: 'Ihre Miete {number} ist bestätigt',
      text: `Ihre Miete {number} ({class}) ist bestätigt.

Abholung: {pickUpAt}, {pickUpBranch}
Rückgabe: {dueAt}, {returnBranch}
Preis: {total} inklusive Steuern`,
    },
    'request-confirmed': {
      subject: 'Ja: Wir haben ein Fahrzeug für Ihre Miete {number}',
      text: `Sie haben angefragt ({class}), und wir haben ein Fahrzeug für Sie: Ihre Miete {number}
ist bestätigt.

Abholung: {pickUpAt}, {pickUpBranch}
Rückgabe: {dueAt}, {returnBranch}
Preis: {total} inklusive Steuern`,
    },
    'request-declined': {
      subject: 'Wir haben kein Fahrzeug für Ihre Anfrage {number}',
      text: `Sie haben ab {pickUpAt} in {pickUpBranch} angefragt ({class}). Leider können wir nicht
zusagen: Die Anfrage {number} ist geschlossen, Sie schulden uns nichts.`,
    },
    reminder: {
      subject: 'Ihre Miete {number} endet {dueAt}',
      text: `bitte bringen Sie Ihr Fahrzeug bis {dueAt} nach {returnBranch} zurück.

Brauchen Sie es länger, fragen Sie uns bitte vorher: Wenn es geht, verlängern wir Ihre Miete
{number}.`,
    },
    overdue: {
      subject: 'Ihre Miete {number} ist überfällig',
      text: `das Fahrzeug Ihrer Miete {number} war am {dueAt} in {returnBranch} fällig, und wir
haben es noch nicht zurück. Bitte bringen Sie es sofort oder rufen Sie uns an. Jeder weitere Tag
wird berechnet.`,
    },
    'not-returned': {
      subject: 'Bitte bringen Sie das Fahrzeug der Miete {number} jetzt zurück',
      text: `das Fahrzeug Ihrer Miete {number} hätte am {dueAt} in {returnBranch} zurück sein
sollen und ist es nicht. Bitte rufen Sie uns sofort an und sagen Sie uns, wann es kommt. Hören wir
nichts, rufen wir Sie an; ohne Vereinbarung kann die Miete nicht weiterlaufen.`,
    },
    invoice: {
      subject: 'Rechnung {invoice} zu Ihrer Miete {number}',
      text: `zu Ihrer Miete {number} haben wir die Rechnung {invoice} über {invoiceTotal} inklusive
Steuern gestellt.`,
    },
    'deposit-released': {
      subject: 'Ihre Kaution zur Miete {number} ist freigegeben',
      text: `wir haben die Kaution von {hold} freigegeben, die für die Miete {number} auf Ihrer
Karte reserviert war. Wann Sie wieder über den Betrag verfügen, bestimmt Ihre Bank; oft dauert es
einige Tage.`,
    },
    'deposit-expiring': {
      subject: 'Wir brauchen eine andere Karte für die Kaution der Miete {number}',
      text: `die Kaution von {hold} für Ihre Miete {number} ist bis {holdUntil} auf Ihrer Karte
reserviert und konnte nicht erneuert werden. Bitte rufen Sie uns an oder kommen Sie mit einer
anderen Karte vorbei.`,
    },
    recall: {
      subject: 'Ein Rückruf Ihres Mietwagens {plate}',
      text: `der Hersteller ruft den {vehicle} mit dem Kennzeichen {plate} zurück, den Sie mit der
Miete {number} haben: {recall}.

Bitte rufen Sie uns oder eine unserer Filialen an: Sie können ihn sofort und kostenlos tauschen. Sie
haben ihn bis {dueAt}, eine Verlängerung ist nicht möglich.`,
    },
  },
};
