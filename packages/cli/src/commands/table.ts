import type { Command, Option } from '../command.ts'

const helpOption: Option = { name: 'help', short: 'h', kind: 'flag', about: 'Show this help' }

const modelOptions: readonly Option[] = [
  { name: 'model', short: 'm', kind: 'text', value: 'MODEL', about: 'The model to talk to' },
  { name: 'system', short: 's', kind: 'text', value: 'TEXT|@FILE', about: 'The system prompt' },
  { name: 'file', short: 'f', kind: 'texts', value: 'FILE|URL|-', about: 'Attach a file; may be given several times' },
  {
    name: 'thinking',
    kind: 'choice',
    choices: ['off', 'low', 'medium', 'high', 'xhigh', 'max'],
    about: 'Whether and how hard the model thinks first',
  },
  { name: 'max-tokens', kind: 'count', value: 'N', about: 'The most tokens a reply may have (default 8192)' },
  {
    name: 'engine',
    kind: 'text',
    value: 'api|offline|URL',
    about: 'Who answers (default: api with a key, else offline)',
  },
]

const keepOptions: readonly Option[] = [
  { name: 'continue', short: 'c', kind: 'flag', about: 'Go on with the last chat' },
  {
    name: 'resume',
    short: 'r',
    kind: 'maybe',
    value: 'ID|WORDS',
    about: 'Go on with a chat, chosen from a list without ID',
  },
  { name: 'no-save', kind: 'flag', about: 'Keep nothing of this chat' },
]

const turnOptions: readonly Option[] = [
  { name: 'timeout', kind: 'amount', value: 'SECONDS', about: 'The longest a reply may take (default 600)' },
  { name: 'retries', kind: 'count', value: 'N', about: 'How often to ask again after a passing failure (default 2)' },
  { name: 'max-cost', kind: 'amount', value: 'USD', about: 'Send nothing more once the chat has cost this much' },
]

const lookOptions: readonly Option[] = [
  { name: 'plain', kind: 'flag', about: 'Whole lines as they finish, no colours, nothing redrawn' },
  { name: 'color', kind: 'choice', choices: ['auto', 'always', 'never'], about: 'Colours' },
  { name: 'wrap', kind: 'choice', choices: ['word', 'soft', 'off'], about: 'How prose is broken into lines' },
  {
    name: 'cost',
    kind: 'choice',
    choices: ['off', 'short', 'full'],
    about: 'The line under each reply (default full)',
  },
]

const oneShotOptions: readonly Option[] = [
  {
    name: 'output',
    kind: 'choice',
    choices: ['text', 'json', 'stream-json'],
    about: 'What is written to standard output',
  },
  { name: 'out', short: 'o', kind: 'text', value: 'FILE', about: 'Write the reply to a file' },
  { name: 'extract', short: 'x', kind: 'flag', about: 'Write only the first code block of the reply' },
  { name: 'usage', kind: 'flag', about: 'Show tokens and cost on standard error' },
  { name: 'strict', kind: 'flag', about: 'Exit with 8 when the reply was cut off or refused' },
]

const jsonOption: Option = { name: 'json', kind: 'flag', about: 'Print JSON' }

export const chat: Command = {
  name: 'chat',
  summary: 'Talk; without a terminal, answer once',
  synopsis: '[PROMPT…]',
  subcommands: [
    { name: 'list', synopsis: '', summary: 'The chats, newest first' },
    { name: 'search', synopsis: 'WORDS', summary: 'The messages that have all the words' },
    { name: 'show', synopsis: 'ID', summary: 'A whole chat' },
    { name: 'export', synopsis: 'ID', summary: 'A whole chat as Markdown, JSON or HTML' },
    { name: 'rename', synopsis: 'ID TITLE', summary: 'Give a chat another title' },
    { name: 'delete', synopsis: 'ID', summary: 'Erase a chat' },
  ],
  options: [
    ...modelOptions,
    ...keepOptions,
    { name: 'title', kind: 'text', value: 'TITLE', about: 'The title of a new chat' },
    { name: 'print', short: 'p', kind: 'flag', about: 'Answer once and exit, as `ask` does' },
    ...oneShotOptions,
    ...turnOptions,
    ...lookOptions,
    { name: 'format', kind: 'choice', choices: ['md', 'json', 'html'], about: 'With export: the format (default md)' },
    { name: 'limit', kind: 'count', value: 'N', about: 'With list and search: the most lines (default 20)' },
    { name: 'yes', short: 'y', kind: 'flag', about: 'With delete: do not ask' },
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy chat', 'a new chat'],
    ['colloquy chat -c', 'go on where you left'],
    ['colloquy chat -m claude-opus-5-5 -s "Answer in one line."', 'another model, with a system prompt'],
  ],
}

const ask: Command = {
  name: 'ask',
  summary: 'Answer once and exit',
  synopsis: '[PROMPT…]',
  options: [...modelOptions, ...keepOptions, ...oneShotOptions, ...turnOptions, ...lookOptions, helpOption],
  examples: [
    ['colloquy ask "What is a monad?"', 'the reply streams to standard output'],
    ['git diff | colloquy ask "Write a commit message"', 'what is piped in follows the prompt'],
    ['colloquy ask --output json "Name three colours" | jq .text', 'one JSON object, also on failure'],
  ],
}

const serve: Command = {
  name: 'serve',
  summary: 'Answer Messages API clients on a port of this machine',
  synopsis: '',
  options: [
    { name: 'port', kind: 'count', value: 'N', about: 'The port (default 4141)' },
    { name: 'host', kind: 'text', value: 'ADDRESS', about: 'The address to listen on (default 127.0.0.1)' },
    { name: 'engine', kind: 'text', value: 'api|offline|URL', about: 'Who answers (default offline)' },
    { name: 'allow-host', kind: 'texts', value: 'NAME', about: 'A further name that requests may be addressed to' },
    { name: 'key-file', kind: 'text', value: 'FILE', about: 'One access key a line; without, every key is accepted' },
    { name: 'quiet', short: 'q', kind: 'flag', about: 'No line for each request' },
    { name: 'json', kind: 'flag', about: 'Log one JSON object a line' },
    helpOption,
  ],
  examples: [
    ['colloquy serve', 'the offline engine for tests: no key, no cost'],
    ['colloquy serve --engine api --port 8080', 'in front of Claude, with your key'],
    ['ANTHROPIC_BASE_URL=http://127.0.0.1:4141 claude', 'point any client at it'],
  ],
}

const models: Command = {
  name: 'models',
  summary: 'The models of the catalogue, with windows and prices',
  synopsis: '[WORDS]',
  options: [jsonOption, helpOption],
  examples: [
    ['colloquy models', 'all of them'],
    ['colloquy models haiku', 'those whose name has the word'],
    ['colloquy models --json | jq -r ".[].id"', 'the ids alone'],
  ],
}

const paths: Command = {
  name: 'paths',
  summary: 'Where the program keeps its files',
  synopsis: '',
  options: [jsonOption, helpOption],
  examples: [
    ['colloquy paths', 'every place, and whether there is something'],
    ['colloquy paths --json', 'the same for programs'],
    ['XDG_DATA_HOME="$PWD" colloquy chat', 'keep a chat elsewhere'],
  ],
}

export const commands: readonly Command[] = [chat, ask, serve, models, paths]
