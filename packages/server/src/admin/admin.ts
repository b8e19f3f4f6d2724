import { apiError } from 'colloquy/protocol'
import { Hono } from 'hono/tiny'
import { KeyError } from '../access/keys/key-error.ts'
import { badRequest } from '../messages/request/query.ts'
import { addKeyRoutes, type KeyRoutesOptions } from './key-routes.ts'
import { addUsageRoutes, type UsageRoutesOptions } from './usage-routes.ts'

/** The routes below `/admin`, for callers that were checked before. */
export function adminApp(options: KeyRoutesOptions & UsageRoutesOptions): Hono {
  const app = new Hono()
  addKeyRoutes(app, options)
  addUsageRoutes(app, options)
  app.notFound(() => {
    throw apiError('not_found_error', 'Not found')
  })
  // The server writes the response, as for every other route.
  app.onError((error) => {
    throw explained(error)
  })
  return app
}

function explained(error: unknown): unknown {
  if (error instanceof RangeError) return badRequest(error.message)
  if (!(error instanceof KeyError)) return error
  const { code, message } = error
  const types = { exists: 'conflict_error', not_found: 'not_found_error', invalid: 'invalid_request_error' } as const
  return apiError(types[code], message)
}
