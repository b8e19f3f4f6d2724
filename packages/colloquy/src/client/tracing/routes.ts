/** A method of the API, as its spans name it. */
export interface Route {
  name: string
  /** The path with the names of its parameters. */
  route: string
  /** The attribute of the id in the path, or of the object that the call creates. */
  id?: { attribute: string; value: string | undefined }
  /** Query parameters that a span shows. */
  query: readonly string[]
}

const batchId = 'anthropic.message.batch.id'
const fileId = 'anthropic.file.id'
const pages = ['after_id', 'before_id', 'limit']

/** Method, path, name, attribute of the id, query parameters. */
const routes: readonly [string, string, string, (string | undefined)?, string[]?][] = [
  ['post', '/v1/messages', 'messages.create'],
  ['post', '/v1/messages/count_tokens', 'messages.count_tokens'],
  ['post', '/v1/messages/batches', 'messages.batches.create', batchId],
  ['get', '/v1/messages/batches', 'messages.batches.list', undefined, pages],
  ['get', '/v1/messages/batches/{message_batch_id}', 'messages.batches.retrieve', batchId],
  ['delete', '/v1/messages/batches/{message_batch_id}', 'messages.batches.delete', batchId],
  ['post', '/v1/messages/batches/{message_batch_id}/cancel', 'messages.batches.cancel', batchId],
  ['get', '/v1/messages/batches/{message_batch_id}/results', 'messages.batches.results', batchId],
  ['get', '/v1/models', 'models.list', undefined, [...pages, 'lifecycle']],
  ['get', '/v1/models/{model_id}', 'models.retrieve', 'anthropic.model.id'],
  ['get', '/v1/files', 'files.list', undefined, ['ids', 'limit', 'page', 'scope_id']],
  ['post', '/v1/files', 'files.upload', fileId],
  ['get', '/v1/files/{file_id}', 'files.retrieve_metadata', fileId],
  ['delete', '/v1/files/{file_id}', 'files.delete', fileId],
  ['get', '/v1/files/{file_id}/content', 'files.download', fileId],
]

/** The method of the API that a request calls; undefined for a path of none. */
export function routeOf(method: string, path: string): Route | undefined {
  const { pathname } = new URL(path, 'https://api.anthropic.com')
  for (const [verb, route, name, attribute, query = []] of routes) {
    if (verb !== method) continue
    const match = new RegExp(`^${route.replace(/\{\w+\}/, '([^/]+)')}$`).exec(pathname)
    if (!match) continue
    const id = attribute === undefined ? undefined : { attribute, value: match[1] && decoded(match[1]) }
    return { name: `anthropic.${name}`, route, query, ...(id && { id }) }
  }
  return undefined
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
