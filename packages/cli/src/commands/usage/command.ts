import { type Command, databaseOption, helpOption, jsonOption } from '../command.ts'

/** `colloquy usage`. */
export const usage: Command = {
  name: 'usage',
  summary: 'Show tokens and cost of chats and of the server',
  synopsis: '[today|week|month|all|YYYY-MM]',
  subcommands: [
    {
      name: 'request',
      synopsis: 'ID',
      summary: 'Show one request',
      flags: ['remote', 'database', 'json'],
      run: async (words, flags) => (await import('./usage.ts')).showRequest(words, flags),
    },
  ],
  options: [
    { name: 'since', kind: 'text', value: 'DAY', about: 'The first day, such as 2026-11-15, or 7d' },
    { name: 'until', kind: 'text', value: 'DAY', about: 'The last day' },
    { name: 'tz', kind: 'text', value: 'ZONE', about: 'The time zone of days (default: of this machine)' },
    {
      name: 'by',
      kind: 'text',
      value: 'FIELDS',
      about: 'One or two of hour, day, month, model, key, source, workspace, user, chat, type (default day)',
    },
    { name: 'key', kind: 'text', value: 'NAME', about: 'Only requests with this key' },
    { name: 'model', kind: 'text', value: 'MODEL', about: 'Only replies of this model' },
    { name: 'source', kind: 'choice', choices: ['api', 'chat', 'batch'], about: 'Only requests from there' },
    { name: 'models', kind: 'flag', about: 'Split each row by model' },
    { name: 'top', kind: 'count', value: 'N', about: 'The most rows' },
    { name: 'chart', kind: 'flag', about: 'Draw bars, also into a pipe' },
    { name: 'no-chart', kind: 'flag', about: 'Draw no bars' },
    { name: 'plain', kind: 'flag', about: 'Print plain text, without bars' },
    { name: 'compare', kind: 'flag', about: 'Add the cost of the period before' },
    { name: 'reprice', kind: 'flag', about: 'Also calculate the cost by the prices of this version' },
    { name: 'watch', kind: 'flag', about: 'Show the report again every two seconds, until Ctrl-C' },
    {
      name: 'remote',
      kind: 'maybe',
      value: 'URL',
      about:
        'Usage of a server, by its admin key in COLLOQUY_ADMIN_KEY; without URL: compare with the account at Claude',
    },
    { name: 'csv', kind: 'flag', about: 'Print CSV' },
    { name: 'md', kind: 'flag', about: 'Print a Markdown table' },
    databaseOption,
    jsonOption,
    helpOption,
  ],
  examples: [
    ['colloquy usage', 'the last seven days'],
    ['colloquy usage month --by key,model', 'who used what this month'],
    ['colloquy usage today --by model,type', 'where the money goes'],
    ['colloquy usage 2026-11 --csv >november.csv', 'for a spreadsheet'],
  ],
  async run(words, flags) {
    const [first] = words
    const { showRequest, showUsage } = await import('./usage.ts')
    return first === 'request' ? showRequest(words.slice(1), flags) : showUsage(words, flags)
  },
}
