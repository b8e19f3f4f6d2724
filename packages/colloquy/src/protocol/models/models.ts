import type { EffortLevel, ModelEntry, Price, PriceBand, RetiredModel } from './model-entry.ts'
import { perToken } from './money.ts'

const all: readonly EffortLevel[] = ['low', 'medium', 'high', 'xhigh', 'max']
const adaptiveOnly = { types: ['adaptive'], default: 'adaptive', display: 'omitted' } as const
const million = { contextTokens: 1_000_000, maxOutputTokens: 128_000 }
const small = { contextTokens: 200_000, maxOutputTokens: 64_000 }
/** The defaults of the 5th generation. */
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
  compaction: true,
} as const
/** The defaults of the 4th generation. */
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

/** The active and deprecated models, newest first. A new model needs an entry here and no other code. */
export const models: readonly ModelEntry[] = [
  {
    ...fifth,
    id: 'claude-fable-5-2',
    displayName: 'Claude Fable 5.2',
    line: 'fable',
    releasedOn: '2026-11-09',
    staysUntil: '2027-11-09',
    forcedToolChoice: false,
    prices: [price('2026-11-09', '8', '40', '0.20')],
  },
  {
    ...fifth,
    id: 'claude-mythos-5-2',
    displayName: 'Claude Mythos 5.2',
    line: 'mythos',
    releasedOn: '2026-11-09',
    staysUntil: '2027-11-09',
    forcedToolChoice: false,
    prices: [price('2026-11-09', '8', '40', '0.20')],
  },
  {
    ...fifth,
    id: 'claude-haiku-5-5',
    displayName: 'Claude Haiku 5.5',
    line: 'haiku',
    releasedOn: '2026-10-07',
    staysUntil: '2027-10-07',
    thinking: { ...onUnlessDisabled, maxEffort: { disabled: 'high' } },
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
    staysUntil: '2027-09-28',
    thinking: {
      types: ['adaptive', 'between_tools'],
      default: 'adaptive',
      display: 'omitted',
      maxEffort: { between_tools: 'high' },
    },
    forcedToolChoice: false,
    prices: [price('2026-09-28', '2', '10', '0.20'), price('2026-10-07', '2', '10', '0.10')],
  },
  {
    ...fifth,
    id: 'claude-opus-5-5',
    displayName: 'Claude Opus 5.5',
    line: 'opus',
    releasedOn: '2026-09-22',
    staysUntil: '2027-09-22',
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
    staysUntil: '2027-09-01',
    forcedToolChoice: false,
    prices: [price('2026-09-01', '10', '50', '0.25')],
  },
  {
    ...fifth,
    id: 'claude-mythos-5-1',
    displayName: 'Claude Mythos 5.1',
    line: 'mythos',
    releasedOn: '2026-09-01',
    staysUntil: '2027-09-01',
    forcedToolChoice: false,
    prices: [price('2026-09-01', '10', '50', '0.25')],
  },
  {
    ...fifth,
    id: 'claude-opus-5',
    displayName: 'Claude Opus 5',
    line: 'opus',
    releasedOn: '2026-07-24',
    staysUntil: '2027-07-24',
    thinking: { ...onUnlessDisabled, maxEffort: { disabled: 'high' } },
    prices: [{ ...price('2026-07-24', '5', '25', '0.50'), fastFactor: 2n }],
  },
  {
    ...fifth,
    id: 'claude-sonnet-5',
    displayName: 'Claude Sonnet 5',
    line: 'sonnet',
    releasedOn: '2026-06-30',
    staysUntil: '2027-06-30',
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
    staysUntil: '2027-06-09',
    prices: [price('2026-06-09', '10', '50', '1.00')],
  },
  {
    ...fifth,
    id: 'claude-mythos-5',
    displayName: 'Claude Mythos 5',
    line: 'mythos',
    releasedOn: '2026-06-09',
    staysUntil: '2027-06-09',
    prices: [price('2026-06-09', '10', '50', '1.00')],
  },
  {
    ...fifth,
    id: 'claude-opus-4-8',
    displayName: 'Claude Opus 4.8',
    line: 'opus',
    releasedOn: '2026-05-28',
    staysUntil: '2027-05-28',
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
    staysUntil: '2027-04-16',
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
    // Only the month is known.
    releasedOn: '2026-04-01',
    lifecycle: 'deprecated',
    retiresOn: '2026-06-30',
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
    staysUntil: '2027-02-17',
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
    staysUntil: '2027-02-05',
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
    lifecycle: 'deprecated',
    retiresOn: '2027-01-22',
    minCacheTokens: 4096,
    effort: { levels: ['low', 'medium', 'high'], default: 'high' },
    prefill: true,
    compaction: false,
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
    staysUntil: '2026-10-15',
    minCacheTokens: 4096,
    prefill: true,
    compaction: false,
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
    compaction: false,
    prices: [price('2025-09-29', '3', '15', '0.30')],
  },
]

/** The retired models, last retired first. */
export const retiredModels: readonly RetiredModel[] = [
  { id: 'claude-opus-4-1-20250805', aliases: ['claude-opus-4-1'], retiredOn: '2026-08-05' },
  { id: 'claude-opus-4-20250514', aliases: ['claude-opus-4-0'], retiredOn: '2026-06-15' },
  { id: 'claude-sonnet-4-20250514', aliases: ['claude-sonnet-4-0'], retiredOn: '2026-06-15' },
  { id: 'claude-3-haiku-20240307', aliases: [], retiredOn: '2026-04-20' },
  { id: 'claude-3-7-sonnet-20250219', aliases: ['claude-3-7-sonnet-latest'], retiredOn: '2026-02-19' },
  { id: 'claude-3-5-haiku-20241022', aliases: ['claude-3-5-haiku-latest'], retiredOn: '2026-02-19' },
  { id: 'claude-3-opus-20240229', aliases: ['claude-3-opus-latest'], retiredOn: '2026-01-05' },
  { id: 'claude-3-5-sonnet-20241022', aliases: ['claude-3-5-sonnet-latest'], retiredOn: '2025-10-28' },
  { id: 'claude-3-5-sonnet-20240620', aliases: [], retiredOn: '2025-10-28' },
]

/**
 * Finds a model by id or alias. `more` is searched first, so that it can add models and correct them.
 *
 * @example
 * ```ts
 * import { findModel } from 'colloquy/protocol'
 *
 * const { id, maxOutputTokens } = findModel('claude-haiku-4-5')!
 * console.log(id, maxOutputTokens) // claude-haiku-4-5-20251001 64000
 * ```
 */
export function findModel(id: string, more: readonly ModelEntry[] = []): ModelEntry | undefined {
  return more.find((entry) => isNamed(entry, id)) ?? byName.get(id)
}

const byName: ReadonlyMap<string, ModelEntry> = new Map(
  models.flatMap((entry) => [entry.id, ...entry.aliases].map((name): [string, ModelEntry] => [name, entry])),
)

/**
 * Finds a retired model by id or alias, so that an error can say when it was retired.
 *
 * @example
 * ```ts
 * import { findRetiredModel } from 'colloquy/protocol'
 *
 * console.log(findRetiredModel('claude-3-opus-latest')?.retiredOn) // 2026-01-05
 * ```
 */
export function findRetiredModel(id: string): RetiredModel | undefined {
  return retiredModels.find((entry) => isNamed(entry, id))
}

function isNamed(entry: ModelEntry | RetiredModel, id: string): boolean {
  return entry.id === id || entry.aliases.includes(id)
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
