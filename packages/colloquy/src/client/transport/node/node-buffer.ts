import { builtin } from '../runtime.ts'
import type { NodeBufferModule } from './modules.ts'

let found: NodeBufferModule['Buffer'] | undefined

/** The class `Buffer`. Looked up once, because a lookup takes as long as to write the head of a request. */
export function nodeBuffer(): NodeBufferModule['Buffer'] {
  return (found ??= (builtin('node:buffer') as NodeBufferModule).Buffer)
}
