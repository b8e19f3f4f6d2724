import { adminOperations } from '../admin/operations.ts'
import { batchOperations } from '../messages/batches/operations.ts'
import { fileOperations } from '../messages/files/operations.ts'
import { messageOperations } from '../messages/operations.ts'
import { metricsOperations, watchOperations } from '../operate/operations.ts'
import type { ServerOptions } from '../options.ts'
import { openApiDocument, type OpenApiDocument } from './document.ts'
import type { Operations } from './operation.ts'

/** Describes a server: only the routes that it has. */
export async function describeServer(
  { access, metrics, routes = [] }: Pick<ServerOptions, 'access' | 'metrics' | 'routes'>,
  has: { batches: boolean; files: boolean },
): Promise<OpenApiDocument> {
  const groups: (Operations | undefined | false)[] = [
    watchOperations,
    messageOperations,
    has.batches && batchOperations,
    has.files && fileOperations,
    metrics && metricsOperations,
    access && adminOperations,
    ...(await Promise.all(
      routes.map(async ({ operations }) => (typeof operations === 'function' ? operations() : operations)),
    )),
  ]
  return openApiDocument(Object.assign({}, ...groups.filter(Boolean)) as Operations)
}
