import type * as localModels from './local-models.ts'
import { type Command, helpOption, jsonOption, type Run, type Subcommand } from '../command.ts'

/** Loads `local-models.ts` when one of its subcommands is called. */
function ofLocalModels(name: keyof typeof localModels): Run {
  return async (words, flags) => (await import('./local-models.ts'))[name](words, flags)
}

const modelSubcommands: readonly Subcommand[] = [
  {
    name: 'local',
    synopsis: '',
    summary: 'List the models on this machine, and those to fetch',
    flags: ['json'],
    run: ofLocalModels('list'),
  },
  {
    name: 'get',
    synopsis: 'NAME|hf:USER/REPOSITORY[:QUANTIZATION]|URL|FILE',
    summary: 'Fetch a model, and use it if there is no key',
    flags: ['yes'],
    run: ofLocalModels('get'),
  },
  {
    name: 'use',
    synopsis: 'NAME|FILE',
    summary: 'Use a model of this machine if there is no key',
    flags: [],
    run: ofLocalModels('use'),
  },
  {
    name: 'remove',
    synopsis: 'NAME',
    summary: 'Remove a model that was fetched',
    flags: [],
    run: ofLocalModels('remove'),
  },
]

/** `colloquy models`. */
export const models: Command = {
  name: 'models',
  summary: 'List the models that can reply; fetch and choose those of this machine',
  synopsis: '[WORDS]',
  subcommands: modelSubcommands,
  options: [
    { name: 'yes', short: 'y', kind: 'flag', about: 'With get: do not ask for confirmation' },
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy models', 'Claude, and the models of servers and files on this machine'],
    ['colloquy models get hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF:q4_k_m', 'a file of the Hugging Face hub'],
    ['colloquy models get smollm2', 'a small model for this machine, 98 MB'],
  ],
  async run(words, flags) {
    const subcommand = modelSubcommands.find(({ name }) => name === words[0])
    if (subcommand !== undefined) return subcommand.run(words.slice(1), flags)
    return (await import('./list-models.ts')).listModels(words, flags)
  },
}
