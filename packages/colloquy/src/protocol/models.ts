import type { EffortLevel, ModelEntry, Price, PriceBand, ThinkingType } from './model-entry.ts'
import type { ModelInfo } from './model-info.ts'
import { perToken } from './money.ts'

const all: readonly EffortLevel[] = ['low', 'medium', 'high', 'xhigh', 'max']
const adaptiveOnly = { types: ['adaptive'], default: 'adaptive', display: 'omitted' } as const
const million = { contextTokens: 1_000_000, maxOutputTokens: 128_000 }
const small = { contextTokens: 200_000, maxOutputTokens: 64_000 }
/** What is true of a model of the 5th generation unless its entry says otherwise. */
const fifth = {
  ...million,
  aliases: [],
  lifecycle: 'active',
  minCacheTokens: 512,
  imagePixels: 2576,
  thinking: adaptiveOnly,
  effort: { levels: all, default: 'high' },
  prefill: false,
  sampling: false,
  forcedToolChoice: true,
  systemInMessages: true,
} as const
/** What is true of a model of the 4th generation unless its entry says otherwise. */
const fourth = {
  ...fifth,
  imagePixels: 1568,
  thinking: { types: ['enabled', 'disabled'], default: 'disabled', display: 'summarized' },
  sampling: true,
  systemInMessages: false,
} as const
const budgetOrAdaptive = {
  types: ['adaptive', 'enabled', 'disabled'],
  default: 'disabled',
  display: 'summarized',
} as const
const adaptiveOrOff = { types: ['adaptive', 'disabled'], default: 'disabled', display: 'omitted' } as const
const onUnlessDisabled = { types: ['adaptive', 'disabled'], default: 'adaptive', display: 'omitted' } as const

/** The current and deprecated models, newest first. Data: nothing here is code that a new model must change. */
export const models: readonly ModelEntry[] = [
  {
    ...fifth,
    id: 'claude-fable-5-2',
    displayName: 'Claude Fable 5.2',
    line: 'fable',
    releasedOn: '2026-11-09',
    retiresOn: '2027-11-09',
    forcedToolChoice: false,
    prices: [price('2026-11-09', '8', '40', '0.20')],
  },
  {
    ...fifth,
    id: 'claude-mythos-5-2',
    displayName: 'Claude Mythos 5.2',
    line: 'mythos',
    releasedOn: '2026-11-09',
    retiresOn: '2027-11-09',
    forcedToolChoice: false,
    prices: [price('2026-11-09', '8', '40', '0.20')],
  },
  {
    ...fifth,
    id: 'claude-haiku-5-5',
    displayName: 'Claude Haiku 5.5',
    line: 'haiku',
    releasedOn: '2026-10-07',
    retiresOn: '2027-10-07',
    thinking: onUnlessDisabled,
    effort: { levels: all, default: 'medium' },
    prices: [
      {
        from: '2026-10-07',
        source: 'price list of 2026-10-07',
        bands: [band(0, '0.10', '0.50', '0.01'), band(100_000, '0.50', '2.50', '0.05')],
      },
    ],
  },
  {
    ...fifth,
    id: 'claude-sonnet-5-5',
    displayName: 'Claude Sonnet 5.5',
    line: 'sonnet',
    releasedOn: '2026-09-28',
    retiresOn: '2027-09-28',
    thinking: { types: ['adaptive', 'between_tools'], default: 'adaptive', display: 'omitted' },
    forcedToolChoice: false,
    prices: [price('2026-09-28', '2', '10', '0.20'), price('2026-10-07', '2', '10', '0.10')],
  },
  {
    ...fifth,
    id: 'claude-opus-5-5',
    displayName: 'Claude Opus 5.5',
    line: 'opus',
    releasedOn: '2026-09-22',
    retiresOn: '2027-09-22',
    effort: { levels: all, default: 'medium' },
    forcedToolChoice: false,
    prices: [{ ...price('2026-09-22', '4', '20', '0.20'), fastFactor: 2n }],
  },
  {
    ...fifth,
    id: 'claude-fable-5-1',
    displayName: 'Claude Fable 5.1',
    line: 'fable',
    releasedOn: '2026-09-01',
    retiresOn: '2027-09-01',
    forcedToolChoice: false,
    prices: [price('2026-09-01', '10', '50', '0.25')],
  },
  {
    ...fifth,
    id: 'claude-mythos-5-1',
    displayName: 'Claude Mythos 5.1',
    line: 'mythos',
    releasedOn: '2026-09-01',
    retiresOn: '2027-09-01',
    forcedToolChoice: false,
    prices: [price('2026-09-01', '10', '50', '0.25')],
  },
  {
    ...fifth,
    id: 'claude-opus-5',
    displayName: 'Claude Opus 5',
    line: 'opus',
    releasedOn: '2026-07-24',
    retiresOn: '2027-07-24',
    thinking: onUnlessDisabled,
    prices: [{ ...price('2026-07-24', '5', '25', '0.50'), fastFactor: 2n }],
  },
  {
    ...fifth,
    id: 'claude-sonnet-5',
    displayName: 'Claude Sonnet 5',
    line: 'sonnet',
    releasedOn: '2026-06-30',
    retiresOn: '2027-06-30',
    minCacheTokens: 1024,
    thinking: onUnlessDisabled,
    systemInMessages: false,
    prices: [price('2026-06-30', '2', '10', '0.20')],
  },
  {
    ...fifth,
    id: 'claude-fable-5',
    displayName: 'Claude Fable 5',
    line: 'fable',
    releasedOn: '2026-06-09',
    retiresOn: '2027-06-09',
    prices: [price('2026-06-09', '10', '50', '1.00')],
  },
  {
    ...fifth,
    id: 'claude-mythos-5',
    displayName: 'Claude Mythos 5',
    line: 'mythos',
    releasedOn: '2026-06-09',
    retiresOn: '2027-06-09',
    prices: [price('2026-06-09', '10', '50', '1.00')],
  },
  {
    ...fifth,
    id: 'claude-opus-4-8',
    displayName: 'Claude Opus 4.8',
    line: 'opus',
    releasedOn: '2026-05-28',
    retiresOn: '2027-05-28',
    minCacheTokens: 1024,
    thinking: adaptiveOrOff,
    prices: [{ ...price('2026-05-28', '5', '25', '0.50'), fastFactor: 2n }, price('2026-11-30', '5', '25', '0.50')],
  },
  {
    ...fifth,
    id: 'claude-opus-4-7',
    displayName: 'Claude Opus 4.7',
    line: 'opus',
    releasedOn: '2026-04-16',
    retiresOn: '2027-04-16',
    minCacheTokens: 2048,
    thinking: adaptiveOrOff,
    systemInMessages: false,
    prices: [price('2026-04-16', '5', '25', '0.50')],
  },
  {
    ...fifth,
    id: 'claude-mythos-preview',
    displayName: 'Claude Mythos Preview',
    line: 'mythos',
    // The month is what is known.
    releasedOn: '2026-04-01',
    lifecycle: 'deprecated',
    minCacheTokens: 2048,
    thinking: { types: ['adaptive', 'enabled'], default: 'adaptive', display: 'omitted' },
    forcedToolChoice: false,
    systemInMessages: false,
    prices: [],
  },
  {
    ...fourth,
    id: 'claude-sonnet-4-6',
    displayName: 'Claude Sonnet 4.6',
    line: 'sonnet',
    releasedOn: '2026-02-17',
    retiresOn: '2027-02-17',
    minCacheTokens: 1024,
    thinking: budgetOrAdaptive,
    effort: { levels: ['low', 'medium', 'high', 'max'], default: 'high' },
    prices: [price('2026-02-17', '3', '15', '0.30')],
  },
  {
    ...fourth,
    id: 'claude-opus-4-6',
    displayName: 'Claude Opus 4.6',
    line: 'opus',
    releasedOn: '2026-02-05',
    retiresOn: '2027-02-05',
    minCacheTokens: 4096,
    thinking: budgetOrAdaptive,
    effort: { levels: ['low', 'medium', 'high', 'max'], default: 'high' },
    prices: [price('2026-02-05', '5', '25', '0.50')],
  },
  {
    ...fourth,
    ...small,
    id: 'claude-opus-4-5-20251101',
    aliases: ['claude-opus-4-5'],
    displayName: 'Claude Opus 4.5',
    line: 'opus',
    releasedOn: '2025-11-24',
    retiresOn: '2026-11-24',
    minCacheTokens: 4096,
    effort: { levels: ['low', 'medium', 'high'], default: 'high' },
    prefill: true,
    prices: [price('2025-11-24', '5', '25', '0.50')],
  },
  {
    ...withoutEffort(fourth),
    ...small,
    id: 'claude-haiku-4-5-20251001',
    aliases: ['claude-haiku-4-5'],
    displayName: 'Claude Haiku 4.5',
    line: 'haiku',
    releasedOn: '2025-10-15',
    retiresOn: '2026-10-15',
    minCacheTokens: 4096,
    prefill: true,
    prices: [price('2025-10-15', '1', '5', '0.10')],
  },
  {
    ...withoutEffort(fourth),
    ...small,
    id: 'claude-sonnet-4-5-20250929',
    aliases: ['claude-sonnet-4-5'],
    displayName: 'Claude Sonnet 4.5',
    line: 'sonnet',
    releasedOn: '2025-09-29',
    lifecycle: 'deprecated',
    retiresOn: '2026-11-30',
    minCacheTokens: 1024,
    prefill: true,
    prices: [price('2025-09-29', '3', '15', '0.30')],
  },
]

/** The models that no longer answer and when they stopped, by the beginning of their ids. */
export const retiredModels: Readonly<Record<string, string>> = {
  'claude-opus-4-1': '2026-08-05',
  'claude-opus-4-2': '2026-06-15',
  'claude-sonnet-4-2': '2026-06-15',
  'claude-3-haiku': '2026-04-20',
  'claude-3-7-sonnet': '2026-02-19',
  'claude-3-5-haiku': '2026-02-19',
  'claude-3-opus': '2026-01-05',
  'claude-3-5-sonnet': '2025-10-28',
}

/** The entry of a model by its id or an alias. `more` is looked through first, so that it can add models and correct them. */
export function findModel(id: string, more: readonly ModelEntry[] = []): ModelEntry | undefined {
  const names = (entry: ModelEntry): boolean => entry.id === id || entry.aliases.includes(id)
  return more.find(names) ?? models.find(names)
}

/** An entry as the Models API tells it. */
export function modelInfo(entry: ModelEntry): ModelInfo {
  const yes = { supported: true }
  const is = (supported: boolean): { supported: boolean } => ({ supported })
  const thinks = (type: ThinkingType): { supported: boolean } => is(entry.thinking.types.includes(type))
  const takes = (level: EffortLevel): { supported: boolean } => is(entry.effort?.levels.includes(level) ?? false)
  return {
    type: 'model',
    id: entry.id,
    display_name: entry.displayName,
    created_at: midnight(entry.releasedOn),
    max_input_tokens: entry.contextTokens,
    max_tokens: entry.maxOutputTokens,
    line: entry.line,
    lifecycle: entry.lifecycle,
    deprecated_at: entry.deprecatedOn === undefined ? null : midnight(entry.deprecatedOn),
    retires_at: entry.retiresOn === undefined ? null : midnight(entry.retiresOn),
    capabilities: {
      batch: yes,
      citations: yes,
      code_execution: yes,
      image_input: yes,
      pdf_input: yes,
      structured_outputs: yes,
      thinking: {
        ...yes,
        types: {
          adaptive: thinks('adaptive'),
          between_tools: thinks('between_tools'),
          disabled: thinks('disabled'),
          enabled: thinks('enabled'),
        },
      },
      effort: {
        ...is(entry.effort !== undefined),
        low: takes('low'),
        medium: takes('medium'),
        high: takes('high'),
        xhigh: takes('xhigh'),
        max: takes('max'),
      },
      context_management: {
        ...yes,
        clear_thinking_20251015: yes,
        clear_tool_uses_20250919: yes,
        compact_20260112: yes,
      },
      server_tools: { ...yes, web_search: yes, code_execution: yes },
    },
  }
}

function midnight(day: string): string {
  return `${day}T00:00:00Z`
}

/** A price of one band. Writing to the cache costs 1.25 × the input for five minutes and 2 × for an hour. */
function price(from: string, input: string, output: string, cacheRead: string): Price {
  return { from, source: `price list of ${from}`, bands: [band(0, input, output, cacheRead)] }
}

function band(abovePromptTokens: number, input: string, output: string, cacheRead: string): PriceBand {
  const base = perToken(input)
  return {
    abovePromptTokens,
    input: base,
    cacheWrite5m: (base * 5n) / 4n,
    cacheWrite1h: base * 2n,
    cacheRead: perToken(cacheRead),
    output: perToken(output),
  }
}

function withoutEffort<Defaults extends { effort: unknown }>({
  effort: _,
  ...rest
}: Defaults): Omit<Defaults, 'effort'> {
  return rest
}
