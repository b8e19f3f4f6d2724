import { withConfiguration } from '../../config/defaults.ts'
import { type Command, databaseOption, helpOption, type Option } from '../command.ts'
import { toolOptions } from '../reply-options.ts'
import { beginLeanStart } from './lean-memory.ts'

/** The options of `serve` and `web`. */
const serveOptions: readonly Option[] = [
  { name: 'port', kind: 'count', value: 'N', about: 'The port (default 4141)' },
  { name: 'host', kind: 'text', value: 'ADDRESS', about: 'The address to listen on (default 127.0.0.1)' },
  {
    name: 'engine',
    kind: 'text',
    value: 'ENGINE',
    about:
      'The engine: api, local, offline, FILE, URL or chat:URL (default offline; for web and --open that of a chat)',
  },
  { name: 'no-api', kind: 'flag', about: 'Serve the console only' },
  { name: 'print-token', kind: 'flag', about: 'Print the link that opens the console also into a pipe or a file' },
  { name: 'token-file', kind: 'text', value: 'FILE', about: 'Write the token for programs that use /api to a file' },
  { name: 'allow-host', kind: 'texts', value: 'NAME', about: 'Another host name that requests may be sent to' },
  databaseOption,
  { name: 'quiet', short: 'q', kind: 'flag', about: 'Do not log requests' },
  { name: 'json', kind: 'flag', about: 'Log one JSON object a line' },
]

/** `colloquy serve`. */
export const serve: Command = {
  name: 'serve',
  summary: 'Serve the Messages API on a port of this machine',
  synopsis: '',
  options: [
    ...serveOptions,
    { name: 'open', kind: 'flag', about: 'Open the console in the browser' },
    { name: 'config', kind: 'text', value: 'FILE', about: 'Engines, routes, keys and limits in a JSON file' },
    { name: 'check', kind: 'flag', about: 'With --config: check the file and exit' },
    { name: 'schema', kind: 'flag', about: 'Print the JSON Schema of the file, for editors' },
    { name: 'no-console', kind: 'flag', about: 'Serve no console' },
    { name: 'testing', kind: 'flag', about: 'Take scripted replies and faults at /testing (this machine only)' },
    { name: 'lenient', kind: 'flag', about: 'Accept retired and unknown models and fields' },
    { name: 'redis', kind: 'text', value: 'URL', about: 'Count limits with other servers in Redis or Valkey' },
    { name: 'key-file', kind: 'text', value: 'FILE', about: 'More access keys, one a line, without limits' },
    { name: 'metrics', kind: 'flag', about: 'Answer GET /metrics for Prometheus' },
    {
      name: 'log',
      kind: 'choice',
      choices: ['metadata', 'full'],
      about: 'full: also log the text of requests and replies (default metadata)',
    },
    helpOption,
  ],
  examples: [
    ['colloquy serve', 'the offline engine for tests: no key, no cost'],
    ['colloquy serve --open', 'and open the console'],
    ['colloquy serve --engine api --port 8080', 'forward to Claude with your key'],
    ['colloquy serve --config colloquy.json', 'several engines, chosen by the model of a request'],
    ['ANTHROPIC_BASE_URL=http://127.0.0.1:4141 claude', 'point any client at it'],
  ],
  run: async (_words, flags) => {
    // Before the modules of the server are loaded.
    beginLeanStart()
    return (await import('./serve.ts')).serve(flags)
  },
}

/** `colloquy web`. */
export const web: Command = {
  name: 'web',
  summary: 'Open the console: chats, usage and requests in the browser',
  synopsis: '',
  options: [...serveOptions, ...toolOptions, helpOption],
  examples: [
    ['colloquy web', 'the same chats as in the terminal'],
    ['colloquy web --engine local', 'with a model of this machine'],
    ['colloquy web --mcp servers.json', 'with the tools of MCP servers'],
    ['colloquy web --port 8080', 'on another port'],
  ],
  run: async (_words, flags) => (await import('./serve.ts')).web(await withConfiguration(flags)),
}
