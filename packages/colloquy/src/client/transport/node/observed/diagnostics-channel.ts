import { builtin } from '../../runtime.ts'

/** A channel on which a module of Node tells tracers of its requests. */
export interface DiagnosticsChannel {
  readonly hasSubscribers: boolean
}

export function diagnosticsChannel(name: string): DiagnosticsChannel {
  return (builtin('node:diagnostics_channel') as { channel(name: string): DiagnosticsChannel }).channel(name)
}
