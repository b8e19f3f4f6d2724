import type { ConversationApp } from './conversation-app.ts'
import { type ConversationRoutesOptions, checkConversationRoutesOptions } from './options.ts'
import type { Routes } from '../options.ts'

/** The routes below `/api`, for the option `routes` of `createServer()`, or for any program that passes requests to it. */
export interface ConversationRoutes extends Routes {
  /** Deletes what is to be deleted, and ends the streams of changes. Turns in flight continue. */
  close(): Promise<void>
}

/**
 * Conversations over HTTP. The routes are those of docs/conversations-api.md.
 *
 * @example
 * ```ts
 * import { conversationRoutes, createServer } from '@colloquy/server'
 * import { openConversations } from 'colloquy/conversation'
 * import { offline } from 'colloquy/engines'
 *
 * const engine = offline()
 * const defaults = { model: 'claude-sonnet-4-6', max_tokens: 1024 }
 * const api = conversationRoutes({ conversations: openConversations({ engine }), defaults })
 * const { fetch } = createServer({ engine, routes: [api] })
 * const created = await fetch(new Request('http://localhost/api/conversations', { method: 'POST', body: '{}' }))
 * console.log(created.status) // 201
 * await api.close()
 * ```
 */
export function conversationRoutes(options: ConversationRoutesOptions): ConversationRoutes {
  checkConversationRoutesOptions(options)
  // Loaded with the first request: most servers are never asked for a conversation.
  let opening: Promise<ConversationApp> | undefined
  const app = (): Promise<ConversationApp> => (opening ??= open(options))
  return {
    operations: async () => (await import('./operations.ts')).conversationOperations,
    answer: (request, onError) => (isOurs(new URL(request.url).pathname) ? answer(app(), request, onError) : undefined),
    close: async () => (await opening)?.close(),
  }
}

async function open(options: ConversationRoutesOptions): Promise<ConversationApp> {
  const { ConversationApp } = await import('./conversation-app.ts')
  return new ConversationApp(options)
}

async function answer(
  app: Promise<ConversationApp>,
  request: Request,
  onError?: (error: unknown) => void,
): Promise<Response> {
  return (await app).fetch(request, onError)
}

function isOurs(path: string): boolean {
  return /^\/api\/(?:conversations(?:\/|$)|(?:models|tools|changes)$)/.test(path)
}
