// The GraphiQL page as a newcomer meets it: it loads from Souk alone, asks, subscribes and keeps no secret.
//
//   npm ci && SOUK_BIN=../../target/debug/souk npm test         starts `souk demo` on a free port
//   npm ci && SOUK_URL=http://localhost:4000 npm test           uses a Souk that runs, with the demo's catalogue
//
// SOUK_SCREENSHOT=<file.png> keeps a picture of live stock; CHROMIUM names another browser than /usr/bin/chromium.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch, visitor } from './graphiql.js';
import * as operations from './operations.js';
import { server } from './server.js';

const SECRET = 'a-token-nobody-may-keep';

let souk, browser, graphiql;

before(async () => {
  souk = await server();
  browser = await launch();
});

beforeEach(async () => {
  graphiql = await visitor(browser, souk.url);
});

afterEach(async () => {
  const complaints = [...graphiql.complaints];
  await graphiql.close();
  assert.deepEqual(complaints, []);
});

after(async () => {
  await browser?.close();
  if (souk) assert.equal(await souk.stop(), 0, 'Souk stops cleanly');
});

for (const path of ['/graphiql', '/graphiql/']) {
  test(`${path} shows an operation that runs as it is`, async () => {
    await graphiql.open(path);
    assert.equal(await graphiql.page.title(), 'Souk');
    await graphiql.run();
    assertNoErrors(await graphiql.answer());
  });
}

test('a query written in the editor is answered', async () => {
  await graphiql.open();
  assert.notDeepEqual(await variantIds(), []);
});

test('stock that changes shows up while one looks', async () => {
  await graphiql.open();
  await watchStock();
  const first = event(await graphiql.answer());
  const second = event(await graphiql.answer((answer) => event(answer) !== first));
  assert.notEqual(first, second);
  await picture();
  await graphiql.run();
});

test('headers go with queries and subscriptions and are not kept', async () => {
  await graphiql.open();
  const seen = secretsSent(graphiql.page);
  await graphiql.writeHeaders({ 'x-browser-test': SECRET });
  await watchStock();
  await graphiql.answer();
  assert.deepEqual([...seen].sort(), ['connection_init', 'http']);
  assert.ok(!(await graphiql.stored()).includes(SECRET), 'the browser keeps the headers');
});

async function variantIds() {
  await graphiql.write(operations.products);
  await graphiql.run();
  const answer = await graphiql.answer();
  assertNoErrors(answer);
  return operations.variantIds(answer.data);
}

async function watchStock() {
  const ids = await variantIds();
  await graphiql.writeVariables(operations.stockVariables(ids));
  await graphiql.write(operations.stockChanged);
  await graphiql.run();
}

function event(answer) {
  assertNoErrors(answer);
  return operations.eventOf(answer.data);
}

const assertNoErrors = (answer) => assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));

/** By which ways the secret left the page. */
function secretsSent(page) {
  const seen = new Set();
  page.on('request', (request) => request.headers()['x-browser-test'] === SECRET && seen.add('http'));
  page.on('websocket', (socket) =>
    socket.on('framesent', ({ payload }) => payload.includes(SECRET) && seen.add(JSON.parse(payload).type)),
  );
  return seen;
}

async function picture() {
  const path = process.env.SOUK_SCREENSHOT;
  if (path) await graphiql.page.screenshot({ path });
}
