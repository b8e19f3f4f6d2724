import { defineConfig } from 'vite'

// The server whose data the development server shows.
const server = process.env['COLLOQUY_SERVER'] ?? 'http://127.0.0.1:4141'
/** The server refuses pages of another origin, such as that of the development server. */
const proxy = { target: server, headers: { origin: server } }

/** The page is served from the root of the server or below any path, and nothing of it comes from another host. */
export default defineConfig({
  root: import.meta.dirname,
  base: './',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  resolve: { conditions: ['@colloquy/source', 'module', 'browser'] },
  build: {
    outDir: '../server/console',
    emptyOutDir: true,
    target: 'es2022',
    // Assets in the page itself would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What several parts use is one file: nearly all of it is part of the first load, and many small files compress badly.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', minShareCount: 2 }] } } },
  },
  // Cookies do not tell ports apart: a session of the server holds here too.
  server: {
    host: '127.0.0.1',
    proxy: { '/api': { ...proxy, changeOrigin: true }, '/admin': { ...proxy, changeOrigin: true } },
  },
})
