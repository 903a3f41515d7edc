// The Souk under test: one that runs already (SOUK_URL), or one started from an executable (SOUK_BIN).
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const START_LIMIT_MS = 120_000;
const STOP_LIMIT_MS = 30_000;
const PROBE_EVERY_MS = 200;

/**
 * Gives `{ url, stop }`. `command` is what an executable is started with: `demo`, or `serve` for an empty market.
 * `stop` answers with the exit code, or with 0 for a server that is not ours.
 */
export async function server(command = 'demo') {
  const executable = process.env.SOUK_BIN;
  return executable ? start(executable, command) : running(process.env.SOUK_URL ?? 'http://localhost:4000');
}

const running = (url) => ({ url: new URL(url).origin, stop: async () => 0 });

async function start(executable, command) {
  const folder = await mkdtemp(join(tmpdir(), 'souk-browser-'));
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const souk = spawn(executable, [command, '--data-dir', join(folder, 'data'), '--port', String(port)]);
  const log = collect(souk);
  const stop = async () => {
    const code = await end(souk);
    await rm(folder, { recursive: true, force: true });
    return code;
  };
  if (await ready(url, souk)) return { url, stop };
  const code = await stop();
  throw new Error(`${executable} did not get ready (exit code ${code}):\n${log.join('')}`);
}

async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

function collect(souk) {
  const log = [];
  souk.on('error', (error) => log.push(`${error.message}\n`));
  souk.stdout.on('data', (text) => log.push(text));
  souk.stderr.on('data', (text) => log.push(text));
  return log;
}

async function ready(url, souk) {
  const deadline = Date.now() + START_LIMIT_MS;
  while (isRunning(souk) && Date.now() < deadline) {
    const answer = await fetch(`${url}/health/ready`).catch(() => null);
    if (answer?.ok) return true;
    await pause(PROBE_EVERY_MS);
  }
  return false;
}

const isRunning = (souk) => souk.pid !== undefined && souk.exitCode === null && souk.signalCode === null;

/** As Ctrl-C does; a server that does not stop is killed, and then has no exit code. */
async function end(souk) {
  if (!isRunning(souk)) return souk.exitCode;
  const exit = once(souk, 'exit');
  souk.kill('SIGINT');
  const kill = setTimeout(() => souk.kill('SIGKILL'), STOP_LIMIT_MS);
  const [code] = await exit;
  clearTimeout(kill);
  return code;
}
