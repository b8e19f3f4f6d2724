import Anthropic from '@anthropic-ai/sdk'
import {
  BetaAbstractBrowserToolset20260801,
  BetaAbstractComputerToolset20260801,
  ToolError,
  UnavailableMemberError,
  type BetaBrowserMemberResult,
  type BetaBrowserNavigateResult,
  type BetaBrowserState,
  type BetaBrowserToolsetOptions,
  type BetaFilePolicy,
  type BetaScreenshotResult,
  type BetaToolsetCallContext,
} from '@anthropic-ai/sdk/helpers/beta/toolsets'
import { BetaNodeFilePolicy } from '@anthropic-ai/sdk/helpers/beta/toolsets/node'
import type {
  BetaBrowserMemberInput,
  BetaBrowserMemberName,
  BetaBrowserNavigateInput,
  BetaComputerScreenshotInput,
} from '@anthropic-ai/sdk/resources/beta'

// A browser in memory, and a computer that only shows its screen.
class Browser extends BetaAbstractBrowserToolset20260801 {
  readonly log: string[] = []
  #url = 'about:blank'

  constructor(options: Omit<BetaBrowserToolsetOptions, 'browserState'> = {}) {
    super({ ...options, browserState: () => this.state() })
  }

  state(): BetaBrowserState {
    return { tabs: [{ tab_id: 't1', title: 'Tab', url: this.#url, active: true }], state_changes: [] }
  }

  protected override async navigate(
    _: BetaToolsetCallContext,
    { url }: BetaBrowserNavigateInput,
  ): Promise<BetaBrowserNavigateResult> {
    if (url.startsWith('file:')) throw new ToolError('Files cannot be opened.')
    this.#url = url
    return { url, title: 'Page', status: 200 }
  }

  protected override get_page_text(): string {
    return `The text of ${this.#url}`
  }

  protected override left_click(): void {}

  protected override async execute(
    context: BetaToolsetCallContext,
    name: BetaBrowserMemberName,
    input: BetaBrowserMemberInput,
  ): Promise<BetaBrowserMemberResult> {
    this.log.push(`${name} for ${context.toolUse?.id}`)
    try {
      return await super.execute(context, name, input)
    } catch (error) {
      this.log.push(error instanceof UnavailableMemberError ? 'unavailable' : 'failed')
      throw error
    }
  }
}

class Screen extends BetaAbstractComputerToolset20260801 {
  protected override screenshot(_: BetaToolsetCallContext, __: BetaComputerScreenshotInput): BetaScreenshotResult {
    return { data: 'AAAA' }
  }
}

const filePolicy: BetaFilePolicy = new BetaNodeFilePolicy({ uploadRoots: ['/srv/uploads'] })
const browser = new Browser({
  filePolicy,
  confirm: ({ member, tabURL }) => member !== 'left_click' || tabURL !== 'about:blank',
  configs: { find: { enabled: false } },
})
const screen = new Screen()

const replies: object[] = [
  {
    content: [
      { type: 'tool_use', id: 'a', toolset_name: 'browser', name: 'navigate', input: { url: 'https://a.example/' } },
      { type: 'tool_use', id: 'b', toolset_name: 'browser', name: 'get_page_text', input: {} },
      { type: 'tool_use', id: 'c', toolset_name: 'browser', name: 'hover', input: {} },
      { type: 'tool_use', id: 'd', toolset_name: 'browser', name: 'left_click', input: {} },
      { type: 'tool_use', id: 'e', toolset_name: 'computer', name: 'screenshot', input: {} },
    ],
    stop_reason: 'tool_use',
  },
  { content: [{ type: 'text', text: 'Done' }], stop_reason: 'end_turn' },
]
const asked: string[] = []
const client = new Anthropic({
  apiKey: 'any',
  fetch: async (_, init) => {
    asked.push(String(init?.body))
    const usage = { input_tokens: 1, output_tokens: 1 }
    return Response.json({ id: 'msg_1', type: 'message', role: 'assistant', model: 'm', usage, ...replies.shift() })
  },
})
const last = await client.beta.messages.toolRunner({
  model: 'claude-sonnet-4-6',
  max_tokens: 100,
  thread: false,
  tools: [browser, screen],
  messages: [{ role: 'user', content: 'Look around' }],
})
console.log(last.content, browser.log)
for (const body of asked) console.log(JSON.stringify(JSON.parse(body).messages.at(-1)), JSON.parse(body).tools.length)
const { content, is_error } = await browser.toolResult({
  type: 'tool_use',
  id: 'f',
  toolset_name: 'browser',
  name: 'navigate',
  input: { url: 'file:///etc/hosts' },
})
console.log(content, is_error)
await browser.close()
