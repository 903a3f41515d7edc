// GraphiQL in a browser that can reach one origin only, driven by keyboard and mouse as a person would.
import { chromium } from 'playwright-core';

const WAIT_MS = 30_000;

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-proxy-server',
  // As if the network were unplugged.
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1, EXCLUDE [::1]',
];

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });

/** A fresh browser profile with an empty page. What goes wrong or to another origin ends up in `complaints`. */
export async function visitor(browser, origin) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  return new GraphiQL(page, origin, watch(context, page, origin));
}

/** Collects what must not be: other origins, failed requests, errors on the console. */
function watch(context, page, origin) {
  const complaints = [];
  const { host } = new URL(origin);
  const isOurs = (url) => ['data:', 'blob:'].includes(url.protocol) || url.host === host;
  const check = (url) => isOurs(new URL(url)) || complaints.push(`another origin: ${url}`);
  context.on('request', (request) => check(request.url()));
  context.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  context.on('response', (response) => isRefusal(response) && complaints.push(`${response.status()}: ${response.url()}`));
  page.on('websocket', (socket) => check(socket.url()));
  page.on('pageerror', (error) => complaints.push(`thrown: ${error.message}`));
  page.on('console', (message) => isTrouble(message) && complaints.push(`console: ${message.text()}`));
  return complaints;
}

const isRefusal = (response) => response.status() >= 400;
const isTrouble = (message) => ['error', 'warning'].includes(message.type());

class GraphiQL {
  constructor(page, origin, complaints) {
    this.page = page;
    this.origin = origin;
    this.complaints = complaints;
  }

  /** Loads the page and waits for its editors: operation, variables, headers, answer. */
  async open(path = '/graphiql') {
    await this.page.goto(new URL(path, this.origin).href);
    await this.page.waitForFunction(() => globalThis.__MONACO?.editor.getModels().length >= 4);
  }

  /** Replaces the operation, and waits until GraphiQL has read its name: the tab then bears it. */
  async write(operation) {
    await this.#paste('.graphiql-query-editor', operation);
    const [, name] = operation.match(/^\w+ (\w+)/);
    await this.page.getByRole('tab', { name, exact: true }).waitFor();
  }

  writeVariables = (variables) => this.#writeTool('Variables', variables);

  writeHeaders = (headers) => this.#writeTool('Headers', headers);

  /** Presses the run button, which stops a subscription that runs. */
  run = () => this.page.locator('.graphiql-execute-button').click();

  /** The first answer shown that `accept` takes. A subscription shows one answer after the other. */
  async answer(accept = () => true) {
    for (let last = ''; ; ) {
      last = await (await this.page.waitForFunction(nextResponse, last)).jsonValue();
      const answer = parsed(last);
      if (answer && accept(answer)) return answer;
    }
  }

  /** Both tools share one place below the operation; the other one is hidden. */
  async #writeTool(name, content) {
    await this.page.getByRole('button', { name, exact: true }).click();
    const shown = `section[aria-label="${name}"] .graphiql-editor:not(.hidden)`;
    await this.#paste(shown, JSON.stringify(content, null, 2));
  }

  async #paste(editor, text) {
    await this.page.locator(`${editor} .view-lines`).first().click();
    await this.page.keyboard.press('ControlOrMeta+A');
    await this.page.evaluate(paste, text);
  }

  /** What the browser would still know after a restart. */
  stored = () => this.page.evaluate(() => JSON.stringify(globalThis.localStorage));

  close = () => this.page.context().close();
}

/** In the page: pastes over the selection. Typed text would get the closing brackets that the editor adds. */
function paste(text) {
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/plain', text);
  const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  document.activeElement.dispatchEvent(event);
}

/** In the page: the answer's text once it is another than `last`. The editor shows only some lines, its model has all. */
function nextResponse(last) {
  const models = globalThis.__MONACO.editor.getModels();
  const text = models.find((model) => model.uri.path.endsWith('response.json')).getValue();
  return text !== last && text;
}

/** `null` for what is not JSON yet. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
