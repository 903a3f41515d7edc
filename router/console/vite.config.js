// How the page is bundled, and how `npm run dev` reaches a Souk that runs on this machine.
import { defineConfig } from 'vite';

/** React's marks for server rendering: they mean nothing in a bundle, and there are hundreds. */
const USE_CLIENT = 'MODULE_LEVEL_DIRECTIVE';

/** Libraries apart from our sources: a new welcome query then changes two small files, not all of them. */
const CHUNKS = [
  { name: 'monaco', test: /node_modules\/monaco-/ },
  { name: 'vendor', test: /node_modules\/(?!prettier\/)/ },
];

export default defineConfig({
  base: '/graphiql/',
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 4096,
    license: { fileName: 'THIRD_PARTY.txt' },
    rolldownOptions: {
      output: { codeSplitting: { groups: CHUNKS } },
      onwarn: (warning, warn) => warning.code === USE_CLIENT || warn(warning),
    },
  },
  server: {
    proxy: { '/graphql': { target: process.env.SOUK_URL ?? 'http://localhost:4000', ws: true } },
  },
});
