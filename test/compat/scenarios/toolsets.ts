import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  BetaBrowserState,
  BetaBrowserToolsetOptions,
  BetaComputerToolsetOptions,
} from '@anthropic-ai/sdk/helpers/beta/toolsets'
import type {
  BetaBrowserMemberInput,
  BetaBrowserMemberName,
  BetaMessage,
  BetaToolUseBlock,
} from '@anthropic-ai/sdk/resources/beta'
import { finish, hello, json, message, sse, start, stop, toolUse, type Event } from '../fixtures.ts'
import type { Reply } from '../recording-server.ts'
import type { Difference, Helpers, Scenario } from '../scenario.ts'

/** A call of a member: its name, its input, and its toolset. */
type Call = readonly [name: string, input?: object, toolset?: string | null]

function blockOf([name, input = {}, toolset = 'browser']: Call, index = 0): BetaToolUseBlock {
  return {
    type: 'tool_use',
    id: `toolu_${index}`,
    name,
    input,
    ...(toolset && { toolset_name: toolset }),
  } as BetaToolUseBlock
}

function calls(...made: Call[]): Reply {
  return json(message({ id: `msg_${made.length}`, content: made.map(blockOf), stop_reason: 'tool_use' }))
}

const done = json(message())
const long = 'x'.repeat(5000)
const pairs = '😀'.repeat(3000)
const cut = 'half \ud83d of it'

const tab = { tab_id: 't1', title: 'One', url: 'https://one.example/', active: true }
const other = { tab_id: 't2', title: 'Two', url: 'https://two.example/' }
const oneTab: BetaBrowserState = { tabs: [tab] }

interface Context {
  toolUse?: BetaToolUseBlock
}
type Execute = [context: Context, name: BetaBrowserMemberName, input: BetaBrowserMemberInput]

/** A browser that does nothing and reports the given states, one for each call. */
function browserOf(
  { BetaAbstractBrowserToolset20260801: Base, ToolError }: Helpers,
  options: Partial<BetaBrowserToolsetOptions> = {},
  seen: unknown[] = [],
): InstanceType<Helpers['BetaAbstractBrowserToolset20260801']> {
  class Browser extends Base {
    protected override navigate(_: unknown, { url }: { url: string }) {
      seen.push(['navigate', url])
      if (url === 'fail') throw new RangeError(`no ${long}`)
      if (url === 'refuse') throw new ToolError('Not there.')
      if (url === 'picture') {
        throw new ToolError([
          { type: 'text', text: cut },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
          { type: 'text', text: '' },
        ])
      }
      if (url === 'empty') throw new ToolError('')
      // oxlint-disable-next-line typescript/only-throw-error
      if (url === 'odd') throw 'thrown text'
      if (url === 'bare') return { url }
      return { url: `${url}\n`, title: 'A\ttitle', status: 200 }
    }
    protected override screenshot() {
      return { data: 'AAAA' }
    }
    protected override zoom() {
      return { data: 'BBBB', mediaType: 'image/jpeg' as const }
    }
    protected override left_click(_: unknown, input: { modifiers?: string | null }) {
      seen.push(['left_click', input])
      return input.modifiers ? `with\n${input.modifiers}` : undefined
    }
    protected override scroll() {}
    protected override scroll_to() {}
    protected override hold_key() {}
    protected override wait(_: unknown, { duration }: { duration: number }) {
      return duration > 9 ? pairs : ' \n '
    }
    protected override form_input() {}
    protected override type_() {}
    protected override key() {}
    protected override read_page() {
      return cut
    }
    protected override find() {
      return ''
    }
    protected override javascript_exec(_: unknown, { text }: { text: string }) {
      seen.push(['javascript_exec', text])
      return text
    }
    protected override file_upload(_: unknown, input: object) {
      seen.push(['file_upload', input])
    }
    protected override new_tab() {
      return other
    }
    protected override list_tabs() {
      return [tab, other]
    }
    protected override switch_tab() {
      return tab
    }
    protected override close_tab() {}
  }
  return new Browser({ browserState: () => oneTab, ...options })
}

/** A computer that does nothing. */
function computerOf(
  { BetaAbstractComputerToolset20260801: Base, ToolError }: Helpers,
  options: BetaComputerToolsetOptions = { confirm: () => true },
  seen: unknown[] = [],
): InstanceType<Helpers['BetaAbstractComputerToolset20260801']> {
  class Computer extends Base {
    protected override key(_: unknown, input: { text: string }) {
      seen.push(['key', input])
    }
    protected override hold_key() {}
    protected override type_() {
      return 'in a field'
    }
    protected override cursor_position() {
      return { x: 3, y: 4 }
    }
    protected override left_click(_: unknown, { text }: { text?: string | null }) {
      seen.push(['left_click', text])
      if (text === 'fail') throw new ToolError([{ type: 'text', text: 'Missed.' }])
    }
    protected override scroll() {}
    protected override wait() {}
    protected override screenshot() {
      return { data: 'AAAA', mediaType: 'image/webp' as const }
    }
  }
  return new Computer(options)
}

/** The results of calls that are answered one after another. */
async function answers(
  toolset: { toolResult(call: BetaToolUseBlock): Promise<unknown> },
  made: readonly Call[],
): Promise<unknown[]> {
  const results: unknown[] = []
  for (const [index, call] of made.entries()) results.push(await toolset.toolResult(blockOf(call, index)))
  return results
}

/** An error of the same class, with our own text. */
const ownText: Difference = {
  name: 'own-errors',
  at: 'threw.message',
  official: /./,
  ours: /^(Cannot|urlPolicy|browserState)/,
}

/** The browser and computer toolsets, alone and in a tool loop. */
export const toolsets: Scenario[] = [
  {
    name: 'the definition of a browser',
    run: ({ helpers }) => {
      const browser = browserOf(helpers, { toolConfigs: { cache_control: { type: 'ephemeral' } } })
      const configured = browserOf(helpers, {
        configs: { find: { enabled: false }, navigate: { defer_loading: true }, file_upload: { enabled: true } },
        confirm: () => true,
      })
      const { type, toolsetName, configs } = configured
      return [
        JSON.parse(JSON.stringify(browser)),
        configured.toJSON(),
        type,
        toolsetName,
        configs,
        Object.isFrozen(configs),
      ]
    },
  },
  {
    name: 'the definition of a computer',
    run: ({ helpers }) => {
      const computer = computerOf(helpers)
      const quiet = computerOf(helpers, {
        configs: { type: { enabled: false }, key: { enabled: false }, hold_key: { enabled: false } },
      })
      return [computer.toJSON(), quiet.toJSON(), computer.type, computer.toolsetName, 'dispose' in computer]
    },
  },
  {
    name: 'a definition with every member',
    run: ({ helpers: { BetaAbstractBrowserToolset20260801: Base } }) => {
      class Forwarding extends Base {
        protected override async execute() {}
      }
      const toolset = new Forwarding({ browserState: () => oneTab })
      return [toolset.toJSON(), toolset.configs]
    },
  },
  {
    name: 'the results of a browser',
    run: ({ helpers }) =>
      answers(browserOf(helpers), [
        ['navigate', { url: 'https://one.example/' }],
        ['navigate', { url: ' BACK ' }],
        ['navigate', { url: 'bare' }],
        ['navigate', { url: 'fail' }],
        ['navigate', { url: 'refuse' }],
        ['navigate', { url: 'picture' }],
        ['navigate', { url: 'empty' }],
        ['navigate', { url: 'odd' }],
        ['navigate', { url: 5 }],
        ['navigate', {}],
        ['screenshot'],
        ['zoom', { region: [0, 0, 1, 1] }],
        ['left_click', { target: { type: 'ref', ref: 'r1' } }],
        ['left_click', { target: { type: 'ref', ref: 'r1' }, modifiers: 'ctrl\u202e' }],
        ['scroll', { scroll_direction: 'up', target: { type: 'coordinate', x: 1, y: 1 } }],
        ['scroll_to', { target: { type: 'ref', ref: '{ref} \n{text}' } }],
        ['scroll_to', {}],
        ['hold_key', { text: '{duration}', duration: 2 }],
        ['wait', { duration: 1.5 }],
        ['wait', { duration: 10 }],
        ['form_input', { target: { type: 'ref', ref: 'r2' }, value: 1 }],
        ['type', { text: 'secret' }],
        ['key', { text: cut }],
        ['read_page'],
        ['find', { query: 'x' }],
        ['list_tabs'],
        ['switch_tab', { tab_id: 't1' }],
        ['close_tab', { tab_id: 't1' }],
        ['new_tab'],
        ['hover', {}],
        ['javascript_exec', { text: '1' }],
        ['read_console'],
        ['toString'],
        ['no\nsuch "member"\' name'],
      ]),
  },
  {
    name: 'the results of a computer',
    run: ({ helpers }) =>
      answers(
        computerOf(helpers),
        (
          [
            ['key', { text: 'ctrl+s' }],
            ['hold_key', { text: 'a', duration: 1 }],
            ['type', { text: 'b' }],
            ['cursor_position'],
            ['left_click', { coordinate: [1, 2] }],
            ['left_click', { text: 'fail' }],
            ['scroll', { scroll_direction: 'left', scroll_amount: 1 }],
            ['wait', { duration: 2 }],
            ['screenshot'],
            ['zoom'],
            ['triple_click'],
            ['sing'],
          ] as const
        ).map((call) => [...call.slice(0, 2), ...(call.length < 2 ? [{}] : []), 'computer'] as unknown as Call),
      ),
  },
  {
    name: 'members that are disabled, and values that are not boolean',
    run: async ({ helpers }) => {
      const configs = {
        find: { enabled: false },
        zoom: false,
        wait: { enabled: 'true' },
        hover: { defer_loading: true },
      }
      const browser = browserOf(helpers, { configs: configs as never })
      return [
        browser.toJSON(),
        await answers(browser, [['find', { query: '' }], ['zoom'], ['wait'], ['hover'], ['drag']]),
      ]
    },
  },
  {
    name: 'errors of the options',
    run: ({ helpers }) => {
      const made = [
        () => browserOf(helpers, { configs: { javascript_exec: { enabled: true } } }),
        () => browserOf(helpers, { configs: { hover: { enabled: true } } }),
        () => browserOf(helpers, { toolConfigs: { configs: {} } as never }),
        () => computerOf(helpers, {}),
        () => computerOf(helpers, { configs: { zoom: { enabled: true } }, confirm: () => true }),
        () => new helpers.BetaNodeFilePolicy({ uploadRoots: [' '] }),
        () => new helpers.BetaNodeFilePolicy({ downloadDir: '' }),
        () => new helpers.BetaNodeFilePolicy({ uploadRoots: ['/data/up'], downloadDir: '/data/UP/down' }),
      ]
      return made.map((make) => {
        try {
          return String(make())
        } catch (error) {
          return [(error as Error).name, error instanceof helpers.ToolsetUsageError]
        }
      })
    },
  },
  {
    name: 'the state of the browser, and what waits for the next result',
    run: ({ helpers }) => {
      const download = { download_id: 'd1', url: `https://${long}` }
      const states: BetaBrowserState[] = [
        {
          tabs: [{ ...tab, title: ' A\ntitle ', url: `https://${pairs}` }, other],
          state_changes: [
            { type: 'navigation_refused' },
            { type: 'download_started', ...download },
            { type: 'tab_opened', tab_id: 't2' },
            { type: 'tab_opened', tab_id: 't2' },
            { type: 'tab_opened', tab_id: 'gone' },
          ],
        },
        { tabs: [tab], state_changes: [{ type: 'download_failed', ...download, error: 'a\nb' }] },
        {
          tabs: [tab],
          state_changes: [
            { type: 'dialog_dismissed', kind: 'alert', message: long },
            { type: 'dialog_dismissed', kind: 'confirm' },
            { type: 'dialog_dismissed', kind: '', message: '"quoted"' },
            { type: 'dialog_dismissed', kind: 'onbeforeunload-and-more-of-it' },
            { type: 'dialog_dismissed', kind: 'prompt' },
            { type: 'navigation_refused' },
          ],
        },
        { tabs: [tab] },
        {
          tabs: [
            { ...tab, active: false },
            { ...other, active: true },
          ],
          state_changes: [{ type: 'tab_opened', tab_id: 't1' }],
        },
        { tabs: [tab, other], state_changes: [{ type: 'download_completed', ...download, path: '/a', size_bytes: 3 }] },
        { tabs: [] },
      ]
      const browser = browserOf(helpers, { browserState: () => states.shift()! })
      return answers(browser, [
        ['list_tabs'],
        ['navigate', { url: 'refuse' }],
        ['switch_tab', { tab_id: 't1' }],
        ['screenshot'],
        ['new_tab'],
        ['new_tab'],
        ['screenshot'],
      ])
    },
  },
  {
    name: 'confirm decides about every call',
    run: async ({ helpers }) => {
      const { ToolError } = helpers
      const seen: unknown[] = []
      const verdicts: Array<() => unknown> = [
        () => true,
        () => false,
        () => 'yes',
        () => {
          throw new ToolError('Not today.')
        },
        () => Promise.reject(new Error('no terminal')),
      ]
      const browser = browserOf(
        helpers,
        {
          configs: { javascript_exec: { enabled: true } },
          confirm: ({ signal: _, ...context }) => {
            seen.push(context)
            return verdicts.shift()!() as boolean
          },
        },
        seen,
      )
      const results = await answers(browser, [
        ['javascript_exec', { text: '1' }],
        ['javascript_exec', { text: '2', tab_id: 't1' }],
        ['javascript_exec', { text: '3', tab_id: 'unknown' }],
        ['left_click', { tab_id: '' }],
        ['navigate', { url: 'https://a.example' }],
      ])
      return [results, seen]
    },
  },
  {
    name: 'a URL policy',
    run: async ({ helpers }) => {
      const seen: unknown[] = []
      const browser = browserOf(
        helpers,
        {
          urlPolicy: (context, url) => {
            seen.push([context, url])
            if (url === 'secret') throw new Error('secret')
            if (url === 'told') throw new helpers.ToolError('Go elsewhere.')
          },
        },
        seen,
      )
      const results = await answers(browser, [
        ['navigate', { url: 'https://a.example', tab_id: 't1' }],
        ['navigate', { url: 'secret' }],
        ['navigate', { url: 'told' }],
        ['navigate', { url: 'Forward' }],
      ])
      return [results, seen]
    },
  },
  {
    name: 'a URL policy that returns a verdict',
    run: ({ helpers }) =>
      browserOf(helpers, { urlPolicy: (() => false) as never }).toolResult(blockOf(['navigate', { url: 'a' }])),
    differs: [ownText],
  },
  {
    name: 'a state of the browser that cannot be read',
    run: ({ helpers }) =>
      browserOf(helpers, {
        browserState: () => {
          throw new Error('gone')
        },
      }).toolResult(blockOf(['screenshot'])),
    differs: [ownText],
  },
  {
    name: 'a call of another toolset',
    run: ({ helpers }) => browserOf(helpers).toolResult(blockOf(['screenshot', {}, 'computer'])),
    differs: [ownText],
  },
  {
    name: 'a closed toolset',
    run: async ({ helpers }) => {
      const browser = browserOf(helpers)
      const running = browser.toolResult(blockOf(['screenshot']))
      await browser.close()
      await running
      return browser.toolResult(blockOf(['screenshot']))
    },
    differs: [ownText],
  },
  {
    name: 'calls that wait for one another, and one that is aborted',
    run: async ({ helpers }) => {
      const log: unknown[] = []
      class Slow extends helpers.BetaAbstractBrowserToolset20260801 {
        protected override async screenshot(_: unknown, { tab_id = '' }: { tab_id?: string | null }) {
          log.push(`begin ${tab_id}`)
          await new Promise((resolve) => setTimeout(resolve, 10))
          log.push(`end ${tab_id}`)
          return { data: 'AAAA' }
        }
      }
      const browser = new Slow({ browserState: () => oneTab })
      const controller = new AbortController()
      const runs = ['a', 'b', 'c'].map((tab_id, index) => {
        const call = blockOf(['screenshot', { tab_id }], index)
        return browser.run({ toolUse: call, toolUseBlock: call, signal: index === 1 ? controller.signal : null }, call)
      })
      controller.abort()
      const results = await Promise.allSettled(runs)
      return [
        log,
        results.map((result) => (result.status === 'rejected' ? (result.reason as Error).name : result.value)),
      ]
    },
  },
  {
    name: 'execute() around every member',
    run: async ({ helpers }) => {
      const seen: unknown[] = []
      class Logging extends helpers.BetaAbstractBrowserToolset20260801 {
        protected override find() {
          return 'found'
        }
        protected override async execute(...[context, name, input]: Execute) {
          seen.push([name, input])
          try {
            return await super.execute(context, name, input)
          } catch (error) {
            seen.push((error as Error).name)
            throw error
          }
        }
      }
      const browser = new Logging({ browserState: () => oneTab })
      return [await answers(browser, [['find', { query: 'a' }], ['hover', {}], ['nothing']]), seen]
    },
  },
  {
    name: 'a loop with a browser',
    replies: [
      calls(['navigate', { url: 'https://a.example' }], ['left_click', { target: { type: 'ref', ref: 'a' } }]),
      done,
    ],
    run: ({ client, helpers }) =>
      client.beta.messages.toolRunner({ ...hello, tools: [browserOf(helpers)], thread: false }),
  },
  {
    name: 'a loop stops a toolset at its first failure, and runs other tools',
    replies: [
      calls(
        ['navigate', { url: 'refuse' }],
        ['key', { text: 'a' }, 'computer'],
        ['screenshot'],
        ['left_click', { text: 'fail' }, 'computer'],
        ['find', {}, null],
        ['screenshot', {}, 'computer'],
        ['cursor_position', {}, 'computer'],
        ['left_click', {}, 'phone'],
      ),
      done,
    ],
    run: ({ client, helpers }) => {
      const tools = [browserOf(helpers), computerOf(helpers), found(helpers)]
      return client.beta.messages.toolRunner({ ...hello, tools, thread: false })
    },
  },
  {
    name: 'calls of a toolset whose actions cannot be read',
    replies: [
      calls(
        ['screenshot'],
        ['browser', { actions: [] }, null],
        ['screenshot'],
        ['computer', { action: 'key' }, null],
        ['browser', { actions: 'click' }, null],
        ['browser', { actions: {} }, null],
        ['browser', { actions: [{ action: 'a' }, null] }, null],
        ['browser', { actions: Array.from({ length: 12 }, (_, n) => ({ action: `a'${n}` })) }, null],
        ['browser', {}, null],
      ),
      done,
    ],
    run: ({ client, helpers }) =>
      client.beta.messages.toolRunner({ ...hello, tools: [browserOf(helpers), computerOf(helpers)], thread: false }),
  },
  {
    name: 'a loop ends with an error of the program',
    replies: [calls(['screenshot'], ['screenshot']), done],
    run: ({ client, helpers }) => {
      const tools = [browserOf(helpers, { browserState: () => Promise.reject(new Error('gone')) })]
      return client.beta.messages.toolRunner({ ...hello, tools, thread: false })
    },
    differs: [ownText],
  },
  {
    name: 'a toolset of one function',
    replies: [calls(['navigate', { url: 'a' }], ['find'], ['hover']), done],
    run: ({ client, helpers: { ToolError } }) =>
      client.beta.messages.toolRunner({
        ...hello,
        thread: false,
        tools: [
          {
            type: 'browser_toolset_20260801',
            configs: { find: { enabled: true } },
            run: (_context, { name }) => {
              if (name === 'find') throw new ToolError('')
              return [{ type: 'text', text: `ran ${name}` }]
            },
          },
        ],
      }),
  },
  ...(['addTools', 'removeTools'] as const).map((method): Scenario => ({
    name: `${method}() does not change a toolset`,
    replies: [done],
    run: async ({ client, helpers }) => {
      const runner = client.beta.messages.toolRunner({ ...hello, tools: [browserOf(helpers)], thread: false })
      const failures: unknown[] = []
      for await (const _ of runner) {
        const changes =
          method === 'addTools'
            ? [browserOf(helpers), computerOf(helpers), { type: 'browser_toolset_20260801' as const }]
            : ['browser']
        for (const change of changes) {
          try {
            runner[method](change as never)
          } catch (error) {
            failures.push((error as Error).name)
          }
        }
      }
      return failures
    },
  })),
  {
    name: 'a call that runs while the reply streams',
    replies: [
      sse([
        start(),
        ...toolUse(0, 'navigate', '{"url":"https://a.example"}').map(ofBrowser),
        ...toolUse(1, 'screenshot', '{}').map(ofBrowser),
        finish('tool_use'),
        stop,
      ]),
      sse([start(), finish('end_turn'), stop]),
    ],
    run: async ({ client, helpers }) => {
      const seen: unknown[] = []
      const runner = client.beta.messages.toolRunner({
        ...hello,
        tools: [browserOf(helpers, {}, seen)],
        thread: false,
        stream: true,
        runToolsEagerly: true,
      })
      const replies: BetaMessage[] = []
      for await (const stream of runner) replies.push(await stream.finalMessage())
      return [seen, replies.map(({ content }) => content.map(({ type }) => type))]
    },
  },
  {
    name: 'uploads without a policy',
    run: ({ helpers }) =>
      answers(uploading(helpers), [
        ['file_upload', { paths: ['/a'] }],
        ['file_upload', { document_ids: ['file_1'] }],
        ['file_upload', { paths: [], document_ids: null }],
        ['file_upload', { paths: '/a' }],
        ['file_upload', { document_ids: [1] }],
      ]),
  },
  {
    name: 'a file policy of its own',
    run: async ({ helpers }) => {
      const seen: unknown[] = []
      const filePolicy = {
        resolveUploadPaths: (context: unknown, paths: string[]) => {
          seen.push([context, paths])
          if (paths[0] === 'secret') throw new Error('secret')
          if (paths[0] === 'told') throw new helpers.ToolError('Not that one.')
          return paths.map((path) => `/real${path}`)
        },
        resolveUploadDocuments: async (_: unknown, ids: string[]) => ids.slice(1),
        isPathVisible: (path: string) => path === '/seen',
      }
      const downloads = ['/seen', '/hidden', '/se\nen', undefined].map((path, index) => ({
        type: 'download_completed' as const,
        download_id: String(index),
        url: 'https://a.example',
        ...(path && { path }),
      }))
      const browser = uploading(
        helpers,
        { filePolicy, browserState: () => ({ tabs: [tab], state_changes: downloads }) },
        seen,
      )
      const results = await answers(browser, [
        ['file_upload', { paths: ['/a'], document_ids: ['b', 'c'], tab_id: 't1' }],
        ['file_upload', { paths: ['secret'] }],
        ['file_upload', { paths: ['told'] }],
      ])
      return [results, seen]
    },
  },
  {
    name: 'the file policy of folders',
    run: async ({ helpers }) => {
      const folder = await realpath(await mkdtemp(join(tmpdir(), 'colloquy-toolset-')))
      try {
        return await checkFolder(folder, helpers)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  },
]

function found({ betaTool }: Helpers): ReturnType<typeof betaTool> {
  return betaTool({
    name: 'find',
    description: 'Finds.',
    inputSchema: { type: 'object', properties: {} },
    run: () => 'found by the tool',
  })
}

function uploading(
  helpers: Helpers,
  options: Partial<BetaBrowserToolsetOptions> = {},
  seen: unknown[] = [],
): ReturnType<typeof browserOf> {
  return browserOf(helpers, { configs: { file_upload: { enabled: true } }, confirm: () => true, ...options }, seen)
}

function ofBrowser(event: Event): Event {
  const { content_block: block } = event
  return block ? { ...event, content_block: { ...block, toolset_name: 'browser' } } : event
}

async function checkFolder(folder: string, helpers: Helpers): Promise<unknown> {
  const up = join(folder, 'up')
  const down = join(folder, 'down')
  await mkdir(join(up, 'inner'), { recursive: true })
  await mkdir(down)
  await writeFile(join(up, 'a.txt'), 'a')
  await writeFile(join(folder, 'secret.txt'), 's')
  await symlink(join(folder, 'secret.txt'), join(up, 'link'))
  await symlink(join(up, 'a.txt'), join(up, 'inner', 'good-link'))
  await symlink(join(folder, 'nowhere'), join(up, 'dangling'))
  await symlink(up, join(folder, 'up-link'))
  const policy = new helpers.BetaNodeFilePolicy({
    uploadRoots: [up, join(folder, 'missing')],
    downloadDir: down,
    exposeDownloadPaths: true,
    uploadDocumentIds: ['file_1'],
  })
  const paths = [
    join(up, 'a.txt'),
    join(up, 'new.txt'),
    join(up, 'inner', 'good-link'),
    up,
    join(up, 'link'),
    join(up, 'dangling'),
    join(folder, 'secret.txt'),
    join(folder, 'up-link', 'a.txt'),
    `${up}/../secret.txt`,
    `${up}x/a`,
    'relative.txt',
    '',
    'a\0b',
    `/${long}`,
    join(folder, 'missing', 'a'),
  ]
  const attempts = [
    ...paths.map((path) => () => policy.resolveUploadPaths({}, [path])),
    () => helpers.betaCheckUploadPath(join(up, 'a.txt'), [up]),
    () => helpers.betaCheckUploadPath(join(folder, 'up-link', 'a.txt'), [join(folder, 'up-link')]),
    () => helpers.betaCheckUploadPath(up, ['', ' ']),
    () => policy.resolveUploadDocuments({}, ['file_1']),
    () => policy.resolveUploadDocuments({}, ['file_1', 'file_2']),
    ...[join(down, 'a'), down, `${down}/../up/a`, join(up, 'a.txt'), 'a'].map(
      (path) => () => policy.isPathVisible(path),
    ),
    () => new helpers.BetaNodeFilePolicy({ downloadDir: down }).isPathVisible(join(down, 'a')),
    () => new helpers.BetaNodeFilePolicy({ uploadRoots: [join(up, 'dangling')] }).downloadDir,
    () => new helpers.BetaNodeFilePolicy({ uploadRoots: [up], downloadDir: join(up, 'inner') }).downloadDir,
  ]
  const outcomes: unknown[] = []
  for (const attempt of attempts) {
    try {
      outcomes.push(await attempt())
    } catch (error) {
      const { name, message: text } = error as Error
      outcomes.push(error instanceof helpers.ToolsetUsageError ? name : [name, text])
    }
  }
  return JSON.parse(JSON.stringify(outcomes).replaceAll(folder, 'FOLDER'))
}
