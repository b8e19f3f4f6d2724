import { defineConfig } from 'vite'

const server = 'http://127.0.0.1:4141'
/** The server refuses pages of another origin, such as that of the development server. */
const proxy = { target: server, headers: { origin: server } }

/** The page is served from the root of the server, and nothing of it comes from another host. */
export default defineConfig({
  root: import.meta.dirname,
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
  },
  server: { proxy: { '/api': { ...proxy, changeOrigin: true }, '/admin': { ...proxy, changeOrigin: true } } },
})
