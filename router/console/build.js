// Builds the page into ../assets, every file compressed. With `--check`: builds aside and says whether the
// checked-in files are what the sources give.
import { appendFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

const here = dirname(fileURLToPath(import.meta.url));
const checkedIn = join(here, '../assets');

/** A folder's files: their paths inside it, sorted. */
async function filesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** The page, uncompressed: path to bytes. */
async function bundle() {
  const outDir = await mkdtemp(join(tmpdir(), 'souk-console-'));
  try {
    await build({ root: here, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
    await appendMonacoNotices(join(outDir, 'THIRD_PARTY.txt'));
    return await read(outDir, (bytes) => bytes);
  } finally {
    await rm(outDir, { recursive: true });
  }
}

/** Monaco carries code of others inside, which Vite cannot see. */
async function appendMonacoNotices(path) {
  const notices = await readFile(join(here, 'node_modules/monaco-editor/ThirdPartyNotices.txt'), 'utf8');
  await appendFile(path, `\n---\n\n# Inside monaco-editor\n\n${notices.replaceAll('\r\n', '\n')}`);
}

async function read(folder, decode) {
  const files = new Map();
  for (const path of await filesOf(folder)) {
    files.set(path, decode(await readFile(join(folder, path))));
  }
  return files;
}

/** Node's gzip writes no time and no name, so equal input gives equal bytes. */
async function write(files) {
  await rm(checkedIn, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    const target = join(checkedIn, `${path}.gz`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, gzipSync(bytes, { level: 9 }));
  }
}

/** What differs, one line a file. Compares the content: another zlib may compress the same page otherwise. */
async function differences(files) {
  const stored = await read(checkedIn, gunzipSync);
  const unexpected = [...stored.keys()].filter((name) => !files.has(name.replace(/\.gz$/, '')));
  const stale = [...files].filter(([path, bytes]) => !stored.get(`${path}.gz`)?.equals(bytes));
  return [
    ...unexpected.map((name) => `not built any more: ${name}`),
    ...stale.map(([path]) => `missing or stale: ${path}.gz`),
  ];
}

const files = await bundle();
if (process.argv.includes('--check')) {
  const found = await differences(files);
  if (found.length > 0) {
    console.error(`router/assets is not what router/console gives; run \`npm run build\` there:\n${found.join('\n')}`);
    process.exitCode = 1;
  }
} else {
  await write(files);
}
