import { readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

/** The folder of the built page. `npm run console` builds it, and the published package contains it. */
export const consoleFolder: string = fileURLToPath(new URL('../../console/', import.meta.url))

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
}

/**
 * Nothing is loaded from another host and no text becomes code: scripts are files of this server, and the page can turn no
 * string into HTML (Trusted Types). Styles that a script sets are allowed, style attributes in HTML are not.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const pageHeaders = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

interface PageFile {
  body: Uint8Array<ArrayBuffer>
  /** Undefined if compression does not make it smaller. */
  compressed: Uint8Array<ArrayBuffer> | undefined
  type: string
  /** Whether its name changes with its content. */
  isHashed: boolean
}

/** The files of the page. They are read once, with the first request for one. */
export class Page {
  readonly #folder: string
  readonly #prepare: () => Promise<void>
  #files: Promise<ReadonlyMap<string, PageFile>> | undefined

  /** @param prepare called before the folder is read. */
  constructor(folder: string, prepare: () => Promise<void> = async () => {}) {
    this.#folder = folder
    this.#prepare = prepare
  }

  /** Answers with a file of the page, or with the page itself at one of its addresses. Undefined for another path. */
  answer({ method, headers, url }: Request): Promise<Response> | undefined {
    if (method !== 'GET' && method !== 'HEAD') return undefined
    const { pathname } = new URL(url)
    const isAddress = /^\/(?:(?:c|requests)\/[^/]+|usage|requests|settings)?$/.test(pathname) && acceptsHtml(headers)
    // The description of the server is not a file of the page.
    const isFile = /^\/(?!openapi\.json$)(?:assets\/)?[\w-]+(?:\.[\w-]+)+$/.test(pathname)
    return isAddress || isFile ? this.#send(isAddress ? pageAt(pathname) : pathname, { method, headers }) : undefined
  }

  async #send(path: string, { method, headers }: Pick<Request, 'method' | 'headers'>): Promise<Response> {
    this.#files ??= this.#read()
    let files: ReadonlyMap<string, PageFile>
    try {
      files = await this.#files
    } catch (error) {
      // The next request looks again: the page may be built by then.
      this.#files = undefined
      return new Response(`The page cannot be read: ${(error as Error).message}\n`, { status: 503 })
    }
    const file = files.get(path)
    if (file === undefined) return new Response('Not found\n', { status: 404, headers: pageHeaders })
    const isCompressed = file.compressed !== undefined && /\bgzip\b/.test(headers.get('accept-encoding') ?? '')
    return new Response(method === 'HEAD' ? null : isCompressed ? file.compressed : file.body, {
      headers: {
        ...pageHeaders,
        'content-type': file.type,
        'cache-control': file.isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
        vary: 'accept, accept-encoding',
        ...(isCompressed && { 'content-encoding': 'gzip' }),
      },
    })
  }

  async #read(): Promise<ReadonlyMap<string, PageFile>> {
    await this.#prepare()
    const entries = readdirSync(this.#folder, { recursive: true, withFileTypes: true })
    const paths = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
    const files = new Map(
      paths.map((path) => [`/${relative(this.#folder, path).replaceAll('\\', '/')}`, readFile(path)]),
    )
    // The addresses in the page are relative, so that a proxy may show it below any path.
    const html = Buffer.from(files.get('/index.html')?.body ?? '').toString()
    for (const path of html ? ['/usage', '/c/id'] : []) {
      const body = Buffer.from(html.replace('<base href="/"', `<base href="${wayUp(path)}"`))
      files.set(pageAt(path), pageFile(body, '.html'))
    }
    return files
  }
}

/** Programs that look whether a server is there ask for `/` too. */
function acceptsHtml(headers: Headers): boolean {
  return (headers.get('accept') ?? '').includes('text/html')
}

/** The name of the page for one of its addresses. */
function pageAt(path: string): string {
  return path.split('/').length === 2 ? '/index.html' : '/c/index.html'
}

/** The way from an address of the page to the server. */
function wayUp(path: string): string {
  return '../'.repeat(path.split('/').length - 2) || './'
}

function readFile(path: string): PageFile {
  return pageFile(new Uint8Array(readFileSync(path)), extname(path), /[/\\]assets[/\\]/.test(path))
}

function pageFile(body: Uint8Array<ArrayBuffer>, extension: string, isHashed = false): PageFile {
  const compressed = new Uint8Array(gzipSync(body, { level: 9 }))
  return {
    body,
    compressed: compressed.byteLength < body.byteLength ? compressed : undefined,
    type: types[extension] ?? 'application/octet-stream',
    isHashed,
  }
}
