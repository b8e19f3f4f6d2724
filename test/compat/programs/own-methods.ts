import Anthropic, { APIError, type ClientOptions } from '@anthropic-ai/sdk'
import { VERSION } from '@anthropic-ai/sdk/version'

interface TenantOptions extends ClientOptions {
  tenant: string
}

/** A client for a gateway, with the methods that subclasses override. */
class Gateway extends Anthropic {
  readonly tenant: string

  constructor({ tenant, ...options }: TenantOptions) {
    super(options)
    this.tenant = tenant
  }

  override withOptions(options: Partial<ClientOptions>): this {
    return super.withOptions({ tenant: this.tenant, ...options } as Partial<TenantOptions>)
  }

  protected override async prepareOptions(options: Anthropic.FinalRequestOptions): Promise<void> {
    await super.prepareOptions(options)
    options.query = { ...options.query, tenant: this.tenant }
  }

  protected override async prepareRequest(
    request: RequestInit,
    context: { url: string; options: Anthropic.FinalRequestOptions },
  ): Promise<void> {
    await super.prepareRequest(request, context)
    ;(request.headers as Headers).set('x-signature', `${context.options.path} ${String(request.body).length}`)
  }

  protected override async authHeaders(options: Anthropic.FinalRequestOptions) {
    const headers = await super.authHeaders(options)
    headers?.values.set('x-tenant', this.tenant)
    return headers
  }

  protected override makeStatusError(
    status: number,
    error: object,
    message: string | undefined,
    headers: Headers,
  ): APIError {
    return Object.assign(super.makeStatusError(status, error, message, headers), { tenant: this.tenant })
  }

  override buildURL(...given: Parameters<Anthropic['buildURL']>): string {
    return super.buildURL(...given).replace('/v1/', '/gateway/v1/')
  }
}

const fetch: ClientOptions['fetch'] = async (url, init) => {
  const headers = new Headers(init?.headers)
  const names = ['authorization', 'x-tenant', 'x-signature']
  console.log(String(url), ...names.map((name) => headers.get(name)))
  return Response.json({ type: 'error', error: { type: 'not_found_error', message: 'Nothing here' } }, { status: 404 })
}
const gateway = new Gateway({ tenant: 'north', apiKey: 'key', baseURL: 'http://gateway.test', maxRetries: 0, fetch })
for (const client of [gateway, gateway.withOptions({ timeout: 5_000 })]) {
  const failure = await client.messages
    .create({ model: 'claude-sonnet-4-6', max_tokens: 1, messages: [{ role: 'user', content: 'Hello' }] })
    .catch((error: unknown) => error)
  console.log(failure instanceof APIError && failure.status, (failure as { tenant?: string }).tenant)
}
console.log(typeof VERSION)
