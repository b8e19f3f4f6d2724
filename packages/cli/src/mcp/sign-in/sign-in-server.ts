// An MCP server that wants a sign-in by OAuth, for tests.
import { createHash } from 'node:crypto'
import { listen, type Listening } from '@colloquy/server/node'
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server'

/** The server. Its only tool tells the time. */
export class SignInServer {
  /** The paths of the sign-in that were requested. */
  readonly paths: string[] = []
  /** Whether the next user refuses. */
  refuses = false
  /** Whether clients can register themselves. */
  registers = true
  #count = 0
  #access = new Set<string>()
  #refresh = new Set<string>()
  readonly #challenges = new Map<string, string>()
  readonly #listening: Listening
  readonly #handler = createMcpHandler(() => {
    const server = new McpServer({ name: 'clock', version: '1.0.0' })
    server.registerTool('time', { description: 'The time.' }, () => ({ content: [{ type: 'text', text: '12:00' }] }))
    return server
  })

  private constructor(listening: Listening) {
    this.#listening = listening
  }

  static async start(): Promise<SignInServer> {
    const listening = await listen({ fetch: (request: Request) => server.#answer(request) })
    const server = new SignInServer(listening)
    return server
  }

  get url(): string {
    return this.#listening.url
  }

  async close(): Promise<void> {
    await this.#listening.close({ graceMs: 0 })
  }

  /** Makes the tokens so far invalid: for requests, or also for a replacement. */
  expire(what: 'access' | 'all'): void {
    this.#access = new Set()
    if (what === 'all') this.#refresh = new Set()
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/mcp') return this.#mcp(request)
    this.paths.push(pathname)
    const { url } = this
    if (pathname === '/about') return Response.json({ resource: `${url}/mcp`, authorization_servers: [url] })
    if (pathname === '/.well-known/oauth-authorization-server') return Response.json(this.#metadata())
    if (pathname === '/register')
      return Response.json({ client_id: 'client', ...((await request.json()) as object) }, { status: 201 })
    if (pathname === '/authorize') return this.#authorize(searchParams)
    if (pathname === '/token') return this.#token(new URLSearchParams(await request.text()))
    return new Response(null, { status: 404 })
  }

  async #mcp(request: Request): Promise<Response> {
    const [, given = ''] = /^Bearer (.+)$/.exec(request.headers.get('authorization') ?? '') ?? []
    if (this.#access.has(given)) return this.#handler.fetch(request)
    const challenge = `Bearer resource_metadata="${this.url}/about", scope="clock"`
    return new Response(null, { status: 401, headers: { 'www-authenticate': challenge } })
  }

  #metadata(): object {
    const { url } = this
    return {
      issuer: url,
      authorization_endpoint: `${url}/authorize`,
      token_endpoint: `${url}/token`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      ...(this.registers && { registration_endpoint: `${url}/register` }),
    }
  }

  #authorize(parameters: URLSearchParams): Response {
    const target = new URL(parameters.get('redirect_uri') ?? '')
    target.searchParams.set('state', parameters.get('state') ?? '')
    if (this.refuses) target.searchParams.set('error', 'access_denied')
    else {
      const code = `code-${this.#challenges.size}`
      target.searchParams.set('code', code)
      this.#challenges.set(code, parameters.get('code_challenge') ?? '')
    }
    return new Response(null, { status: 302, headers: { location: target.href } })
  }

  #token(form: URLSearchParams): Response {
    if (form.get('grant_type') === 'refresh_token')
      return this.#refresh.delete(form.get('refresh_token') ?? '') ? this.#newTokens() : invalidGrant()
    const proof = createHash('sha256').update(form.get('code_verifier') ?? '')
    const isProven = this.#challenges.get(form.get('code') ?? '') === proof.digest('base64url')
    return isProven ? this.#newTokens() : invalidGrant()
  }

  #newTokens(): Response {
    const [access, refresh] = [`access-${++this.#count}`, `refresh-${this.#count}`]
    this.#access.add(access)
    this.#refresh.add(refresh)
    return Response.json({ access_token: access, refresh_token: refresh, token_type: 'Bearer', expires_in: 60 })
  }
}

function invalidGrant(): Response {
  return Response.json({ error: 'invalid_grant', error_description: 'no' }, { status: 400 })
}
