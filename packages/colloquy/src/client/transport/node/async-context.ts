import { builtin } from '../runtime.ts'
import type { NodeAsyncHooks, NodeAsyncResource } from './modules.ts'

let hooks: NodeAsyncHooks | undefined

/** The async context of the code that is running, with the values of each `AsyncLocalStorage`. */
export function asyncContext(): NodeAsyncResource {
  hooks ??= builtin('node:async_hooks') as NodeAsyncHooks
  return new hooks.AsyncResource('colloquy')
}
