// Creates the topics of Forecourt; run at set-up, repeating it changes nothing.
import { kafkaFromEnvironment } from './environment.ts';
import { ensureTopics } from './topics.ts';

const created = await ensureTopics(kafkaFromEnvironment('setup'));
console.log(created.length === 0 ? 'topics are current' : `created ${created.join(', ')}`);
