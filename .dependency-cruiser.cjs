// Holds the layers: who may import whom. Each rule says why, for whoever meets it in red.

// swc strips `import type` to the same edges with the mark `type-only`: they vanish at run time.
const TYPE_ONLY = { dependencyTypesNot: ['type-only'] };

/** The named npm packages wherever npm puts them, and nothing that only starts like them. */
function packages(...names) {
  return names.map((name) => `(^|/)node_modules/${name}/`);
}

/** `from` may import what `to` lists and nothing else, Node's own modules included. */
function onlyMayImport(name, comment, from, to) {
  return { name, comment, severity: 'error', from, to: { pathNot: to } };
}

/** As above, for code that runs on Node only and may use what Node brings. */
function onlyMayImportOrNode(name, comment, from, to) {
  const rule = onlyMayImport(name, comment, from, to);
  return { ...rule, to: { ...rule.to, dependencyTypesNot: ['core'] } };
}

const OPENTELEMETRY = packages('@opentelemetry/api');
const TEMPORAL_NAMES = '^temporal-config/names\\.ts$';
const MESSAGES = '^workflows/[^/]+\\.messages\\.ts$';

const domain = [
  onlyMayImport(
    'domain-is-pure',
    'Workflows replay these rules, activities and API share them: no I/O, no library, no layer.',
    { path: '^domain/', pathNot: '^domain/calendar\\.ts$' },
    ['^domain/'],
  ),
  onlyMayImport(
    'calendar-knows-zones-only',
    'Time zones are the one rule of ours that needs a library; it needs no other.',
    { path: '^domain/calendar\\.ts$' },
    ['^domain/', ...packages('temporal-polyfill')],
  ),
  {
    name: 'zones-only-in-calendar',
    comment: 'One place knows time zones, so that one place has to be right about them.',
    severity: 'error',
    from: { pathNot: ['^domain/calendar\\.ts$', '^test/', '^bench/'] },
    to: { path: packages('temporal-polyfill') },
  },
  {
    name: 'calendar-stays-out-of-workflows',
    comment:
      'A zone database differs between machines, a replay must not: workflows get local times ' +
      'handed in. They import domain modules freely, so no other domain module may lead there.',
    severity: 'error',
    from: { path: ['^workflows/', '^domain/', TEMPORAL_NAMES] },
    to: { path: '^domain/calendar\\.ts$' },
  },
];

const workflows = [
  onlyMayImport(
    'workflows-import-deterministic-code',
    'The bundle is replayed for years: only pure rules, names and the workflow SDK belong in it.',
    { path: '^workflows/' },
    [
      '^workflows/',
      '^domain/',
      '^activities/',
      TEMPORAL_NAMES,
      ...packages('@temporalio/workflow', '@temporalio/common'),
      ...packages('@temporalio/interceptors-opentelemetry'),
    ],
  ),
  {
    name: 'workflows-trace-in-one-file',
    comment: 'Tracing is wiring: the only workflow module that needs it is the interceptors.',
    severity: 'error',
    from: { path: '^workflows/', pathNot: '^workflows/lib/interceptors\\.ts$' },
    to: { path: packages('@temporalio/interceptors-opentelemetry') },
  },
  {
    name: 'workflows-know-activities-as-types',
    comment: 'A value import would pull the database client into the sandbox.',
    severity: 'error',
    from: { path: '^workflows/' },
    to: { path: '^activities/', ...TYPE_ONLY },
  },
];

const activities = [
  onlyMayImport(
    'activities-carry-out',
    'One transaction or one call each; clients are handed in as deps, never made here.',
    { path: '^activities/' },
    [
      '^activities/',
      '^domain/',
      '^db/',
      '^events/contracts(\\.ts$|/)',
      MESSAGES,
      ...packages('@temporalio/activity', '@temporalio/common'),
    ],
  ),
  {
    name: 'activities-know-contracts-as-types',
    comment:
      'Shapes of messages and events are shared; running workflow or event code here is not.',
    severity: 'error',
    from: { path: '^activities/' },
    to: { path: ['^workflows/', '^events/'], ...TYPE_ONLY },
  },
];

const db = [
  onlyMayImportOrNode(
    'db-knows-rows-and-rules',
    'SQL and the pure rules that turn an intent into rows. What calls it is no business of it.',
    { path: '^db/' },
    ['^db/', '^domain/', ...packages('kysely', 'pg', 'uuid'), ...OPENTELEMETRY],
  ),
];

const events = [
  onlyMayImportOrNode(
    'events-carry-facts',
    'Relay, consumers and contracts read rows and move facts; they start no work of a domain.',
    { path: '^events/' },
    ['^events/', '^domain/', '^db/', ...packages('zod', 'kafkajs', 'kysely'), ...OPENTELEMETRY],
  ),
  {
    name: 'kafka-client-in-one-file',
    comment: 'The client is old and swappable: one file knows it, so one file has to change.',
    severity: 'error',
    from: { pathNot: '^events/kafka\\.ts$' },
    to: { path: packages('kafkajs') },
  },
];

const storage = [
  onlyMayImportOrNode(
    'storage-knows-bytes',
    'It keeps files by their content; whose they are and who may see them is in rows.',
    { path: '^storage/' },
    ['^storage/', ...packages('sharp', '@aws-sdk/client-s3')],
  ),
];

const payments = [
  onlyMayImportOrNode(
    'payments-speak-to-gateways',
    'Adapters of the port in domain/payments: whose rental it is and what is owed is not theirs.',
    { path: '^payments/' },
    ['^payments/', '^domain/', '^db/client\\.ts$', ...packages('kysely', 'stripe')],
  ),
];

const notifications = [
  onlyMayImportOrNode(
    'notifications-write-letters',
    'Mail servers, templates and the sender of what is queued; what is told when is in domain.',
    { path: '^notifications/' },
    ['^notifications/', '^domain/', '^db/', ...packages('nodemailer')],
  ),
];

const documents = [
  onlyMayImportOrNode(
    'documents-draw-pages',
    'What rows say, in the words of a language, as a PDF; who may see it is for the API to say.',
    { path: '^documents/' },
    ['^documents/', '^domain/', '^db/', ...packages('pdfkit')],
  ),
];

const api = [
  {
    name: 'api-is-thin',
    comment: 'It parses, starts, asks and answers; what happens then is workflows and activities.',
    severity: 'error',
    from: { path: '^api/' },
    to: { path: ['^activities/', '^events/', '^stack/'] },
  },
  {
    name: 'api-knows-workflows-by-messages',
    comment: 'The messages are the public contract; of a workflow itself only the type is known.',
    severity: 'error',
    from: { path: '^api/' },
    to: { path: '^workflows/', pathNot: MESSAGES, ...TYPE_ONLY },
  },
  {
    name: 'no-hono-jwt',
    comment: 'Tokens are verified with jose: the one library reviewed for it.',
    severity: 'error',
    from: {},
    to: { path: '(^|/)node_modules/hono/dist/.*jwt' },
  },
];

const temporalConfig = [
  onlyMayImport(
    'names-import-nothing',
    'Workflows import the names, so whatever these import is in the bundle: keys need /common.',
    { path: TEMPORAL_NAMES },
    packages('@temporalio/common'),
  ),
  onlyMayImportOrNode(
    'temporal-config-knows-temporal',
    'Connection, codec and set-up serve every process; they know Temporal and no layer.',
    { path: '^temporal-config/', pathNot: TEMPORAL_NAMES },
    [
      '^temporal-config/',
      ...packages('@temporalio/(client|common|proto|interceptors-opentelemetry)'),
    ],
  ),
];

const stack = [
  {
    name: 'stack-needs-nothing-installed',
    comment: 'It installs what the others import, so on a fresh clone there is only Node.',
    severity: 'error',
    from: { path: '^stack/' },
    to: { pathNot: '^stack/', dependencyTypesNot: ['core'] },
  },
];

const everywhere = [
  {
    name: 'roots-are-not-imported',
    comment:
      'Workers, benches and tests put the parts together; no part may depend on the whole. The ' +
      "API's server is such a root too: it shares logging, tracing and the internal port.",
    severity: 'error',
    from: { pathNot: ['^workers/', '^bench/', '^test/', '^api/server\\.ts$'] },
    to: { path: ['^workers/', '^bench/', '^test/'] },
  },
  {
    name: 'api-server-shares-process-parts',
    comment: 'As a process it logs, traces and reports like the workers, and shares no more.',
    severity: 'error',
    from: { path: '^api/server\\.ts$' },
    to: {
      path: ['^workers/', '^bench/', '^test/'],
      pathNot: '^workers/(internal-server|lifetime|logging|telemetry)\\.ts$',
    },
  },
  {
    name: 'no-cycles',
    comment: 'A cycle of values is two modules that cannot be understood, or loaded, apart.',
    severity: 'error',
    from: {},
    to: { circular: true, viaOnly: TYPE_ONLY },
  },
  {
    name: 'everything-resolves',
    comment: 'An import that leads nowhere fails only when that line runs.',
    severity: 'error',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'no-dev-packages-in-production',
    comment: 'The image is built without devDependencies; what runs there must not need them.',
    severity: 'error',
    from: { pathNot: ['^test/', '^bench/', '^vitest\\.config\\.ts$'] },
    to: { dependencyTypes: ['npm-dev'], ...TYPE_ONLY },
  },
];

module.exports = {
  forbidden: [
    [domain, workflows, activities, db, events, storage, payments, notifications],
    [documents, api, temporalConfig, stack, everywhere],
  ].flat(2),
  options: {
    // TypeScript 7 has no JavaScript API, so swc reads the sources.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^\\.forecourt/', '^test/(lint-fixture|api-client)/', '^coverage/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.cjs', '.json', '.d.ts'],
    },
  },
};
