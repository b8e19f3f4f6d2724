import type { Permission, ToolCall } from '../mcp/chat-tools.ts'
import type { Surface } from './surface/surface.ts'

const answers = [
  { key: 'y', text: 'yes' },
  { key: 'a', text: 'always until you leave' },
  { key: 'n', text: 'no' },
]

/** Asks the user whether the model may call a tool. `stop` is called if the user leaves the question. */
export async function askForCall(surface: Surface, { name, signal }: ToolCall, stop: () => void): Promise<Permission> {
  const key = await surface.ask(`Call ${name}?`, answers, signal)
  if (key === undefined) stop()
  return key === 'y' ? 'once' : key === 'a' ? 'always' : { reason: 'the user did not allow it' }
}
