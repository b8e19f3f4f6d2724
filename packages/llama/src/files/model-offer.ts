import { basename } from 'node:path'
import { listedModels, type ModelOffer } from './catalogue.ts'
import { answerOf, DownloadError, type RequestOptions } from './download.ts'

export interface OfferOptions {
  /** The address of the hub. Default `HF_ENDPOINT`, else `https://huggingface.co`. */
  hub?: string | undefined
  /** The key for the hub, for models that are not open to everyone. Default `HF_TOKEN`. */
  token?: string | undefined
  fetch?: typeof globalThis.fetch
  signal?: AbortSignal | undefined
}

/**
 * Finds what a name stands for: a listed model, `hf:USER/REPOSITORY` with `:QUANTIZATION` or `/FILE.gguf` behind it, or the
 * address of a file. Asks the hub or the file's server for its size, licence and checksum, so that they can be shown before
 * anything is fetched. Undefined if the name is none of these.
 *
 * @throws {DownloadError} if the hub has no such model.
 *
 * @example
 * ```ts
 * import { findOffer, getModel } from '@colloquy/llama'
 *
 * const offer = await findOffer('hf:bartowski/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M')
 * if (offer) console.log(offer.bytes, offer.license)
 * ```
 */
export async function findOffer(name: string, options: OfferOptions = {}): Promise<ModelOffer | undefined> {
  const listed = listedModels.find((model) => model.name === name)
  if (listed !== undefined) return withFacts(listed, options)
  const { repository, rest = '' } = hubName.exec(name)?.groups ?? {}
  if (repository !== undefined) return hubOffer(repository, rest, options)
  return /^https?:\/\//i.test(name) ? urlOffer(name, options) : undefined
}

const hubName = /^(?:hf|huggingface):(?<repository>[\w.-]+\/[\w.-]+)(?<rest>:[\w.-]+|\/.+\.gguf)?$/i

/** A listed model without a checksum, with what the hub says of it today. */
async function withFacts(listed: ModelOffer, options: OfferOptions): Promise<ModelOffer> {
  const [source] = listed.sources
  if (listed.sha256 !== undefined || source?.kind !== 'hub') return listed
  const {
    bytes,
    license = listed.license,
    sha256,
    sources,
  } = await hubOffer(source.repository, `/${source.path}`, options)
  return { ...listed, bytes, license, sha256, sources }
}

/** The hub's address without a slash at its end. */
export function hubOf({ hub = process.env['HF_ENDPOINT'] || 'https://huggingface.co' }: OfferOptions): string {
  return hub.replace(/\/+$/, '')
}

/** The key and the words for a request to the hub; none for another server. A redirect to another host does not take the key along. */
export function hubAccess(url: string, options: OfferOptions): Pick<RequestOptions, 'headers' | 'denied'> {
  const hub = `${hubOf(options)}/`
  if (!url.startsWith(hub)) return {}
  const { token = process.env['HF_TOKEN'] } = options
  const [repository = ''] = /^[^/]+\/[^/?]+/.exec(url.slice(hub.length).replace(/^api\/models\//, '')) ?? []
  const terms = `accept its terms at ${hub}${repository}`
  const denied = token
    ? `The key in HF_TOKEN may not read the model: ${terms}.`
    : `There is no such model, or it is not open to everyone: ${terms}, and set HF_TOKEN to a key of yours.`
  return { denied, ...(token && { headers: { authorization: `Bearer ${token}` } }) }
}

interface HubModel {
  /** The commit. */
  sha?: string
  cardData?: { license?: string }
  siblings?: { rfilename: string; size?: number; lfs?: { sha256?: string; size?: number } }[]
}

async function hubOffer(repository: string, wanted: string, options: OfferOptions): Promise<ModelOffer> {
  const url = `${hubOf(options)}/api/models/${repository}?blobs=true`
  const response = await answerOf(url, { ...options, ...hubAccess(url, options) })
  const model = (await response.json()) as HubModel
  const file = chooseFile(repository, model.siblings ?? [], wanted)
  return {
    name: `hf:${repository}`,
    title: basename(file.rfilename, '.gguf'),
    // Repositories have files of the same name.
    file: `${repository.replace('/', '_')}_${basename(file.rfilename)}`,
    bytes: file.lfs?.size ?? file.size,
    license: model.cardData?.license,
    parameters: undefined,
    sha256: file.lfs?.sha256,
    sources: [{ kind: 'hub', repository, path: file.rfilename, commit: model.sha }],
  }
}

type HubFile = NonNullable<HubModel['siblings']>[number]

/** The quantizations to take if none is named: small enough for most machines, and hardly worse than the whole. */
const preferred = ['q4_k_m', 'q4_k_s', 'q4_0', 'q5_k_m', 'q8_0', '']

function chooseFile(repository: string, files: readonly HubFile[], wanted: string): HubFile {
  const models = files.filter(({ rfilename: name }) => name.endsWith('.gguf') && !/mmproj/i.test(name))
  const names = models.map(({ rfilename }) => rfilename).join(', ') || 'none'
  const fits = (name: string, part: string): boolean => name.toLowerCase().includes(part.toLowerCase())
  const found = wanted.startsWith('/')
    ? models.find(({ rfilename }) => rfilename === wanted.slice(1))
    : wanted === ''
      ? preferred
          .map((part) => models.find(({ rfilename }) => fits(rfilename, part)))
          .find((file) => file !== undefined)
      : models.find(({ rfilename }) => fits(rfilename, wanted.slice(1)))
  if (found === undefined) {
    throw new DownloadError(`Cannot fetch hf:${repository}${wanted}: its GGUF files are ${names.slice(0, 500)}.`)
  }
  if (/-\d{5}-of-\d{5}\.gguf$/.test(found.rfilename)) {
    throw new DownloadError(
      `Cannot fetch ${found.rfilename}: it is one of several pieces. Choose a file that is whole.`,
    )
  }
  return found
}

async function urlOffer(url: string, options: OfferOptions): Promise<ModelOffer> {
  const response = await answerOf(url, { ...options, ...hubAccess(url, options), method: 'HEAD' })
  const file = basename(decodeURIComponent(new URL(url).pathname))
  if (!file.endsWith('.gguf')) throw new DownloadError(`Cannot fetch ${url}: its name does not end in .gguf.`)
  const etag = /^"?([\da-f]{64})"?$/.exec(response.headers.get('x-linked-etag') ?? '')?.[1]
  const length = response.headers.get('x-linked-size') ?? response.headers.get('content-length')
  return {
    name: url,
    title: basename(file, '.gguf'),
    file,
    bytes: Number(length) || undefined,
    license: undefined,
    parameters: undefined,
    ...(etag !== undefined && { sha256: etag }),
    sources: [{ kind: 'url', url }],
  }
}
