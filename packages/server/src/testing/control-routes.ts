import { toErrorResponse } from 'colloquy/conversation'
import { AnthropicError, apiError } from 'colloquy/protocol'
import type { Routes } from '../options.ts'
import type { TestReply } from './test-step.ts'

/** The part of a `TestScript` that the routes use. */
export interface Controlled {
  readonly requests: readonly object[]
  readonly remaining: number
  script(steps: readonly TestReply[]): void
  reset(): void
}

/** The routes below `/testing`. They are without keys: serve them on a loopback address only. */
export function controlRoutes(script: Controlled): Routes {
  return {
    answer(request) {
      const { pathname } = new URL(request.url)
      return pathname.startsWith('/testing/') ? control(script, request, pathname) : undefined
    },
  }
}

async function control(script: Controlled, request: Request, pathname: string): Promise<Response> {
  try {
    switch (`${request.method} ${pathname}`) {
      case 'POST /testing/script':
        script.script(await stepsOf(request))
        return Response.json({ remaining: script.remaining })
      case 'GET /testing/requests':
        return Response.json({ requests: script.requests, remaining: script.remaining })
      case 'POST /testing/reset':
        script.reset()
        return Response.json({ remaining: 0 })
      default:
        throw apiError('not_found_error', `Not found: ${request.method} ${pathname}`)
    }
  } catch (error) {
    const isMisuse = error instanceof AnthropicError && !('status' in error)
    return toErrorResponse(isMisuse ? apiError('invalid_request_error', error.message) : error)
  }
}

async function stepsOf(request: Request): Promise<TestReply[]> {
  const steps: unknown = await request.json().catch(() => undefined)
  if (!Array.isArray(steps)) throw apiError('invalid_request_error', 'The body must be a JSON list of steps')
  return steps as TestReply[]
}
