import { findModel, models, nearMiss, priceAt, formatUsd } from 'colloquy/protocol'
import { candidateLine, findCandidates, matching, type Candidate } from '../../engine/candidates.ts'
import { namedEngine, needsFacts } from '../../engine/choose.ts'
import { rememberEngine } from '../../engine/chosen-engine.ts'
import {
  engineLabel,
  hasAccess,
  isSameEngine,
  ownModel,
  type EngineKind,
  type ServerEngine,
} from '../../engine/engine-kind.ts'
import { withFacts } from '../../engine/fetch-model.ts'
import { servedModels, severalModels, withServedModel } from '../../engine/served-models.ts'
import { UsageError } from '../../exit.ts'
import { change, currentSettings, say, type ChatState, type Effect } from '../chat-state.ts'
import { answeredBy } from '../greeting.ts'
import { meantModel, modelId } from '../settings/model-name.ts'
import { settingsForEngine } from '../settings/settings.ts'
import { configure } from './configure.ts'
import type { SlashInput } from './command.ts'
import { programName } from '../../terminal/program-name.ts'

/** `/model`: lists everything that can reply, or switches the chat to it. */
export async function model(input: SlashInput): Promise<Effect[]> {
  const { state, rest } = input
  if (rest === '') return list(input)
  if (!/^\d{1,3}$/.test(rest)) return switchTo(input, rest)
  const named = state.lastListedModels[Number(rest) - 1]
  if (named === undefined) throw new UsageError(`Cannot switch to model ${rest}: ${listedModels(state)}`)
  return switchTo(input, named)
}

function listedModels({ lastListedModels: { length } }: ChatState): string {
  return length === 0 ? '/model lists them with their numbers' : `/model lists 1 to ${length}`
}

async function list(input: SlashInput): Promise<Effect[]> {
  const { kind } = input.context.connection
  const { model: current } = currentSettings(input.state)
  const [candidates, served] = await Promise.all([findCandidates(), otherModels(kind)])
  const claude = canReachClaude(kind) ? models.filter(({ lifecycle }) => lifecycle === 'active') : []
  const entries = [
    ...claude.map((entry) => ({
      name: entry.id,
      line: [entry.id, entry.displayName, priceOf(entry.id)].filter(Boolean).join(' · '),
    })),
    ...served.map((id) => ({ name: id, line: `${id} · ${engineLabel(kind)}` })),
    ...candidates.map((candidate) => ({ name: candidate.name, line: candidateLine(candidate) })),
    { name: 'offline', line: 'offline · a small program with fixed rules' },
  ]
  const active = served.includes(current) ? current : activeName(kind, current, candidates)
  const rows = entries.map(({ name, line }, index) => {
    return `${name === active ? '›' : ' '} ${String(index + 1).padStart(2)}  ${line}`
  })
  return [
    say(answeredBy(kind.kind === 'offline' ? 'offline' : current, kind), '', ...rows),
    change({ lastListedModels: entries.map(({ name }) => name) }),
    say(
      `      /model N or NAME switches · ${programName} models lists more to fetch`,
      ...(claude.length === 0 ? ['      Set ANTHROPIC_API_KEY to talk to Claude.'] : []),
    ),
  ]
}

/** The models of a server that `--engine` named. Servers that were found have theirs among the candidates. */
async function otherModels(kind: EngineKind): Promise<readonly string[]> {
  if (kind.kind !== 'chat' || kind.from !== undefined) return []
  return servedModels(kind).catch(() => kind.served ?? [])
}

function canReachClaude({ kind }: EngineKind): boolean {
  return kind === 'api' || kind === 'url' || hasAccess()
}

function priceOf(id: string): string {
  const entry = findModel(id)
  const band = entry && priceAt(entry, new Date())?.bands[0]
  if (band === undefined) return ''
  return `${formatUsd(band.input * 1_000_000n)} in, ${formatUsd(band.output * 1_000_000n)} out for a million tokens`
}

function activeName(kind: EngineKind, model: string, candidates: readonly Candidate[]): string | undefined {
  if (kind.kind === 'offline') return 'offline'
  if (kind.kind === 'api' || kind.kind === 'url') return model
  return candidates.find(({ engine }) => isSameEngine(engine, kind))?.name
}

async function switchTo(input: SlashInput, name: string): Promise<Effect[]> {
  const { connection } = input.context
  const before = connection.kind
  const engine = await engineOf(name, before)
  const isSwitched = engine !== before
  if (isSwitched) await connection.switchTo(engine)
  const isChosen = isSwitched && (engine.kind === 'local' || engine.kind === 'chat')
  const failure = isChosen ? rememberEngine(engine) : undefined
  const model =
    ownModel(engine) ?? (engine.kind === 'offline' && name === 'offline' ? currentClaude(input) : modelId(name, engine))
  const settings = settingsForEngine(currentSettings(input.state), engine, model, before)
  return [
    await configure(input, settings),
    ...unknownNote(engine, model),
    ...(failure === undefined ? [] : [say(failure)]),
    say(`The next reply is by ${answeredBy(engine.kind === 'offline' ? 'offline' : model, engine)}.`),
  ]
}

/** The offline engine replies by the name of any model: the chat's, if Claude could continue it. */
function currentClaude({ state }: SlashInput): string {
  const { model } = currentSettings(state)
  return findModel(model) === undefined ? models[0]!.id : model
}

/** The engine for a name: the same one if it can have any model, or if the name is one that it alone may know. */
async function engineOf(name: string, current: EngineKind): Promise<EngineKind> {
  if (name === 'offline') return { kind: 'offline' }
  const [, address, model] = /^(chat:\S+)(?:\s+(\S+))?$/.exec(name) ?? []
  if (address !== undefined) return serverEngine(namedEngine(address) as ServerEngine, model)
  if (name.endsWith('.gguf') || /^https?:/.test(name)) return engineAt(name)
  if (current.kind === 'chat' && (await otherModels(current)).includes(name)) return { ...current, model: name }
  const isOpen = ownModel(current) === undefined
  if (findModel(modelId(name, { kind: 'api' })) !== undefined || /^claude/i.test(name)) {
    if (isOpen) return current
    if (hasAccess()) return { kind: 'api' }
    throw new UsageError(`Cannot use ${name}: it needs a key in ANTHROPIC_API_KEY`)
  }
  const candidates = await findCandidates()
  const found = matching(candidates, name)
  if (found !== undefined) return found.engine
  if (isOpen && current.kind !== 'offline') return current
  const names = candidates.map((candidate) => candidate.name)
  const meant = nearMiss(name, [...names, ...models.map(({ id }) => id)])
  throw new UsageError(
    `No model ${name} on this machine. ${meant === undefined ? '/model lists those that can reply.' : `Did you mean ${meant}?`} ${programName} models get fetches others`,
  )
}

/** The engine of a file or of an address. */
async function engineAt(name: string): Promise<EngineKind> {
  const engine = namedEngine(name)
  return needsFacts(engine) ? withFacts(engine.model) : engine
}

/** The engine of a server, with the model that was named, or with the only one that it has. */
async function serverEngine(engine: ServerEngine, model: string | undefined): Promise<EngineKind> {
  if (model !== undefined) return { ...engine, model }
  const found = await withServedModel(engine, undefined)
  if (found.model === undefined) throw severalModels(found, `/model chat:${engine.url} NAME`)
  return found
}

/** Says if the catalogue does not have the model of a request, and which one was probably meant. */
function unknownNote(engine: EngineKind, model: string): Effect[] {
  if (ownModel(engine) !== undefined || findModel(model) !== undefined) return []
  const meant = meantModel(model)
  return [say(`${model} is not in the catalogue.${meant === undefined ? '' : ` Did you mean ${meant}?`}`)]
}
