// The letters in English.
import type { Language } from './template.ts';

export const en: Language = {
  locale: 'en-GB',
  opening: 'Dear {customer},',
  closing: 'Kind regards\n{pickUpBranch}',
  decline: 'If you would rather not get letters like this, tell any of our branches.',
  letters: {
    confirmation: {
      subject: 'Your rental {number} is confirmed',
      text: `your rental {number} of a {class} is confirmed.

Pick-up: {pickUpAt}, {pickUpBranch}
Return: {dueAt}, {returnBranch}
Price: {total}, taxes included`,
    },
    'request-confirmed': {
      subject: 'Yes: we have a vehicle for your rental {number}',
      text: `you asked for a {class}, and we have one for you: your rental {number} is confirmed.

Pick-up: {pickUpAt}, {pickUpBranch}
Return: {dueAt}, {returnBranch}
Price: {total}, taxes included`,
    },
    'request-declined': {
      subject: 'We have no vehicle for your request {number}',
      text: `you asked for a {class} from {pickUpAt} at {pickUpBranch} on. We are sorry that we
cannot confirm it: request {number} is closed, and you owe us nothing.`,
    },
    reminder: {
      subject: 'Your rental {number} ends {dueAt}',
      text: `please bring your vehicle back by {dueAt} to {returnBranch}.

If you need it for longer, ask us before then: we will extend your rental {number} if we can.`,
    },
    overdue: {
      subject: 'Your rental {number} is overdue',
      text: `the vehicle of your rental {number} was due on {dueAt} at {returnBranch}, and we do
not have it back yet. Please return it at once, or call us. Each further day is charged.`,
    },
    'not-returned': {
      subject: 'Please return the vehicle of rental {number} now',
      text: `the vehicle of your rental {number} should have been back at {returnBranch} on
{dueAt}, and is not. Please call us at once and tell us when it comes. If we hear nothing, we will
call you; the rental cannot go on without an agreement.`,
    },
    invoice: {
      subject: 'Invoice {invoice} for your rental {number}',
      text: `we have issued invoice {invoice} for your rental {number} over {invoiceTotal}, taxes
included.`,
    },
    'deposit-released': {
      subject: 'Your deposit for rental {number} is released',
      text: `we have released the deposit of {hold} that was held on your card for rental
{number}. Your bank decides when you can use the amount again; it often takes some days.`,
    },
    'deposit-expiring': {
      subject: 'We need another card for the deposit of rental {number}',
      text: `the deposit of {hold} for your rental {number} is held on your card until {holdUntil},
and could not be renewed. Please call us, or come to any of our branches with another card.`,
    },
    recall: {
      subject: 'A recall of your rental vehicle {plate}',
      text: `the maker has recalled the {vehicle} with the plate {plate} that you have under rental
{number}: {recall}.

Please call us or any of our branches: you may exchange it at once, free of charge. You have it
until {dueAt}, and it cannot be extended.`,
    },
  },
};
