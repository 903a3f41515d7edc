// The clients that apps use, against a Souk with life in it: GraphQL over HTTP, WebSocket and server-sent events.
//
//   npm ci && SOUK_BIN=../../target/debug/souk npm test         starts `souk demo` on a free port
//   npm ci && SOUK_URL=http://localhost:4000 npm test           uses a Souk that runs, with the demo's catalogue
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { serverAudits } from 'graphql-http';
import { createClient as sseClient } from 'graphql-sse';
import { createClient as webSocketClient } from 'graphql-ws';
import WebSocket from 'ws';
import * as operations from '../browser/operations.js';
import { server } from '../browser/server.js';

const GOODS_ATTEMPTS = 120;
const GOODS_EVERY_MS = 500;

let souk, endpoint;

before(async () => {
  souk = await server();
  endpoint = `${souk.url}/graphql`;
});

after(async () => {
  if (souk) assert.equal(await souk.stop(), 0, 'Souk stops cleanly');
});

// https://graphql.github.io/graphql-over-http: what it says a server MUST and SHOULD do; what it MAY do is a notice.
for (const audit of serverAudits({ url: () => endpoint })) {
  test(`GraphQL over HTTP: ${audit.name}`, async (context) => {
    const result = await audit.fn();
    if (result.status === 'notice') return context.diagnostic(result.reason);
    assert.equal(result.status, 'ok', result.reason);
  });
}

const transports = {
  'graphql-ws': () => webSocketClient({ url: endpoint.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0 }),
  'graphql-sse': () => sseClient({ url: endpoint, retryAttempts: 0 }),
};

for (const [name, connect] of Object.entries(transports)) {
  test(`${name}: stock that changes arrives`, async () => {
    const client = connect();
    const events = await take(client, { query: operations.stockChanged, variables: await someGoods() }, 3);
    for (const { data, errors } of events) assert.ok(data && !errors, JSON.stringify(errors));
    assert.ok(new Set(events.map(({ data }) => operations.eventOf(data))).size > 1, 'the same again and again');
    await client.dispose();
  });

  test(`${name}: a subscription that the schema does not know is refused with what and where`, async () => {
    const client = connect();
    const [error] = await refusal(client, { query: 'subscription { weather { tomorrow } }' });
    assert.match(error.message, /weather/);
    assert.deepEqual(error.locations, [{ line: 1, column: 16 }]);
    await client.dispose();
  });
}

/** The first `count` results of an operation. */
async function take(client, operation, count) {
  const events = [];
  for await (const event of client.iterate(operation)) if (events.push(event) === count) break;
  return events;
}

/** The errors that an operation is refused with, whether the client throws them or gives them as a result. */
async function refusal(client, operation) {
  try {
    return (await take(client, operation, 1))[0].errors;
  } catch (errors) {
    return [errors].flat();
  }
}

/** What the first page of goods has; a demo that has just started is still filling up. */
async function someGoods() {
  const client = sseClient({ url: endpoint });
  for (let attempt = 0; attempt < GOODS_ATTEMPTS; attempt++) {
    const [{ data }] = await take(client, { query: operations.products }, 1);
    const ids = operations.variantIds(data);
    if (ids.length > 0) return operations.stockVariables(ids);
    await pause(GOODS_EVERY_MS);
  }
  throw new Error('the market has no goods');
}
