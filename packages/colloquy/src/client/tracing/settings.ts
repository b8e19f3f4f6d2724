import { environment } from '../transport/runtime.ts'
import type { OpenTelemetryOptions, OpenTelemetryTracesOptions } from './open-telemetry.ts'

/** The options of a client's spans, with their defaults. */
export interface Settings {
  propagation: boolean
  enabled: boolean
  contentMode: 'metadata_only' | 'content'
  maxContentBytes: number
}

/** Without an option, the environment variables decide. */
export function settingsOf(option: OpenTelemetryOptions | undefined): Settings {
  const { propagation, traces } = option ?? environmentOption()
  const given: OpenTelemetryTracesOptions = typeof traces === 'object' ? traces : { enabled: traces }
  const bytes = given.maxContentBytes ?? 0
  return {
    propagation: propagation ?? true,
    enabled: given.enabled ?? true,
    contentMode: given.contentMode === 'content' ? 'content' : 'metadata_only',
    maxContentBytes: Number.isInteger(bytes) && bytes > 0 ? bytes : 750_000,
  }
}

function environmentOption(): OpenTelemetryOptions {
  const bytes = environment('ANTHROPIC_OPEN_TELEMETRY_TRACES_MAX_CONTENT_BYTES') ?? ''
  const mode = environment('ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE')?.toLowerCase()
  return {
    propagation: !isOff(environment('ANTHROPIC_OPEN_TELEMETRY_PROPAGATION')),
    traces: {
      enabled: !isOff(environment('ANTHROPIC_OPEN_TELEMETRY')),
      contentMode: mode === 'content' ? 'content' : 'metadata_only',
      maxContentBytes: /^\d+$/.test(bytes) ? Number(bytes) : undefined,
    },
  }
}

function isOff(value: string | undefined): boolean {
  return value?.toLowerCase() === 'false'
}
