import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Found } from './downloads.ts'
import type { Outcome } from './programs/promise.ts'

/** The browser of this machine, as npm has no package for it. The one without windows takes a fifth less processor time. */
export function findChromium(): Found {
  const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'chrome']
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const program = [
    process.env['CHROMIUM'] ?? '',
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  ].find((file) => file !== '' && existsSync(file))
  if (program !== undefined) return { program, skip: false }
  return { program, skip: 'NOT TESTED: Chromium is not here; install it, or name it in CHROMIUM' }
}

export interface Site {
  origin: string
  /** The address of the same pages under another name, which makes another origin. */
  elsewhere: string
  /** Opens the page in the browser and waits for its report. */
  visit(browser: string, url: string): Promise<Outcome[]>
  close(): Promise<void>
}

/** Serves the files of a project, and pages that run its programs. */
export async function startSite(project: string, pages: ReadonlyMap<string, string>): Promise<Site> {
  let reported = Promise.withResolvers<Outcome[]>()
  const http = createServer((request, response) => void answer(request, response))
  http.listen(0, '127.0.0.1')
  await new Promise((resolve) => http.once('listening', resolve))
  const { port } = http.address() as AddressInfo

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url!, 'http://site')
    const page = pages.get(pathname)
    if (pathname === '/report') {
      response.end()
      reported.resolve(JSON.parse(await text(request)) as Outcome[])
    } else if (page !== undefined) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    } else if (/^\/[\w@/.-]+\.js$/.test(pathname) && existsSync(join(project, pathname))) {
      response.setHeader('content-type', 'text/javascript').end(readFileSync(join(project, pathname)))
    } else response.writeHead(404).end()
  }

  return {
    origin: `http://127.0.0.1:${port}`,
    elsewhere: `http://localhost:${port}`,
    async visit(browser, url) {
      reported = Promise.withResolvers()
      const close = open(browser, url, (error) => reported.reject(error))
      try {
        return await reported.promise
      } finally {
        await close()
      }
    },
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** A page that loads one module and reports the error if the module cannot run. */
export function pageOf(module: string, imports: Readonly<Record<string, string>> = {}): string {
  return `<!doctype html>
<meta charset="utf-8">
<script>
  const report = (failure) => fetch('/report', { method: 'POST', body: JSON.stringify([{ promise: 'the page loads', failure }]) })
  addEventListener('error', ({ message, target }) => report(message ?? 'cannot load ' + target.src), true)
  addEventListener('unhandledrejection', ({ reason }) => report(String(reason)))
</script>
<script type="importmap">${JSON.stringify({ imports })}</script>
<script type="module" src="${module}"></script>
`
}

/** The import map of the installed packages: their entry points for runtimes other than Node. */
export function importMapOf(project: string, names: readonly string[]): Record<string, string> {
  const imports: Record<string, string> = {}
  for (const name of names) {
    const folder = `/node_modules/${name}`
    const { exports } = JSON.parse(readFileSync(join(project, folder, 'package.json'), 'utf8')) as {
      exports: Record<string, Record<string, unknown>>
    }
    for (const [entryPoint, conditions] of Object.entries(exports)) {
      const file = conditions['default'] ?? conditions['import']
      if (typeof file === 'string') imports[name + entryPoint.slice(1)] = folder + file.slice(1)
    }
  }
  return imports
}

/** Opens the address in a headless window. Returns a function that closes it. */
function open(program: string, url: string, onFailure: (error: Error) => void): () => Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), 'colloquy-chromium-'))
  const flags = [
    '--headless',
    '--disable-gpu',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    `--user-data-dir=${profile}`,
    // Chromium's sandbox refuses to run as root.
    ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  ]
  const child = spawn(program, [...flags, url], { stdio: 'ignore', timeout: 60_000, killSignal: 'SIGKILL' })
  child.once('error', onFailure)
  child.once('exit', (code, signal) => onFailure(new Error(`Chromium ended with ${code ?? signal}`)))
  const closed = new Promise((resolve) => child.once('close', resolve))
  return async () => {
    child.kill()
    await closed
    // Chromium's child processes may write for a moment longer.
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
