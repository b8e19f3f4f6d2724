import { type Command, helpOption, type Option } from '../command.ts'

const cassetteOptions: readonly Option[] = [
  { name: 'port', kind: 'count', value: 'N', about: 'The port (default 4142; with a command, any free one)' },
  { name: 'ignore', kind: 'texts', value: 'PATH', about: 'A field that may differ, such as metadata.user_id' },
  { name: 'timing', kind: 'flag', about: 'Record and replay the time before each event' },
]
const cassetteLogOptions: readonly Option[] = [
  { name: 'quiet', short: 'q', kind: 'flag', about: 'Do not log requests' },
  { name: 'json', kind: 'flag', about: 'Log one JSON object a line' },
  helpOption,
]

/** `colloquy record`. */
export const record: Command = {
  name: 'record',
  summary: 'Record requests and replies to a file, for tests in any language',
  synopsis: 'FILE [-- COMMAND…]',
  options: [
    {
      name: 'engine',
      kind: 'text',
      value: 'ENGINE',
      about: 'The engine: api, local, offline, FILE, URL or chat:URL (default api)',
    },
    { name: 'new', kind: 'flag', about: 'Replace the file, instead of adding what it lacks' },
    ...cassetteOptions,
    ...cassetteLogOptions,
  ],
  examples: [
    ['colloquy record trip.json -- pytest', 'run tests against the API, and record what they ask'],
    ['colloquy record trip.json', 'record until Ctrl-C; point any client at the address'],
  ],
  run: async (words, flags) => (await import('./cassette.ts')).recordTo(words, flags),
}

/** `colloquy replay`. */
export const replay: Command = {
  name: 'replay',
  summary: 'Answer with the replies of a recorded file',
  synopsis: 'FILE [-- COMMAND…]',
  options: [...cassetteOptions, ...cassetteLogOptions],
  examples: [
    ['colloquy replay trip.json -- pytest', 'run the same tests without a key and a network'],
    ['colloquy replay trip.json --port 4141', 'answer until Ctrl-C'],
  ],
  run: async (words, flags) => (await import('./cassette.ts')).replayFrom(words, flags),
}
