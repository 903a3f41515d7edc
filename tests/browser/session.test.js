// A session kept by the browser itself: the refresh token lives in a `__Host-` cookie that no script of the page sees.
//
// Runs as `console.test.js` does; the market may be empty.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, visitor } from './graphiql.js';
import * as operations from './operations.js';
import { server } from './server.js';

const COOKIE = '__Host-souk-refresh';

let souk, browser;

before(async () => {
  souk = await server('serve');
  browser = await launch();
});

after(async () => {
  await browser?.close();
  if (souk) assert.equal(await souk.stop(), 0, 'Souk stops cleanly');
});

test('a page signs in, comes back and leaves without ever seeing the refresh token', async () => {
  const { page, close } = await shop();
  const tokens = (await ask(page, operations.register, operations.newcomer())).register.tokens;
  assert.equal(tokens.refreshToken, null);
  assert.equal(await page.evaluate(() => document.cookie), '', 'scripts see the cookie');
  const kept = await cookie(page);
  assert.deepEqual([kept.httpOnly, kept.secure, kept.sameSite, kept.path], [true, true, 'Lax', '/']);

  await page.reload();
  const fresh = (await ask(page, operations.refresh)).refreshSession.tokens;
  assert.ok(fresh.accessToken);
  assert.notEqual((await cookie(page)).value, kept.value, 'each refresh token is good once');

  assert.equal((await ask(page, operations.logOut)).logOut.endedSessions, 1);
  assert.equal(await cookie(page), undefined, 'the cookie is gone');
  await close();
});

/** A page of the endpoint's own origin, in a browser that knows nothing yet. */
async function shop() {
  const visit = await visitor(browser, souk.url);
  await visit.open();
  return { page: visit.page, close: () => visit.close() };
}

/** Asks from inside the page, as a shop's script does. */
async function ask(page, query, variables = {}) {
  const { data, errors } = await page.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify(body) });
    return answer.json();
  }, { query, variables });
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

const cookie = async (page) => (await page.context().cookies()).find(({ name }) => name === COOKIE);
