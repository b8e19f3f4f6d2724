import Anthropic from '@anthropic-ai/sdk'

interface AgentTool<Input> {
  definition: Anthropic.Tool
  run(input: Input): Promise<Anthropic.ToolResultBlockParam['content']>
}

class Agent {
  readonly #client: Anthropic
  readonly #tools: Map<string, AgentTool<never>>
  readonly #messages: Anthropic.MessageParam[] = []

  constructor(client: Anthropic, tools: AgentTool<never>[]) {
    this.#client = client
    this.#tools = new Map(tools.map((tool) => [tool.definition.name, tool]))
  }

  async run(task: string): Promise<string> {
    this.#messages.push({ role: 'user', content: task })
    for (;;) {
      const message = await this.#ask()
      this.#messages.push({ role: 'assistant', content: message.content })
      switch (message.stop_reason) {
        case 'tool_use':
          this.#messages.push({ role: 'user', content: await this.#answer(message) })
          break
        case 'pause_turn':
          break
        case 'max_tokens':
        case 'model_context_window_exceeded':
          return 'cut off'
        case 'refusal':
          return `refused: ${message.stop_details?.category ?? 'no reason'}`
        default:
          return message.content.map((block) => (block.type === 'text' ? block.text : '')).join('')
      }
    }
  }

  async #ask(): Promise<Anthropic.Message> {
    const asked = this.#messages.some(({ content }) => typeof content !== 'string')
    return this.#client.messages
      .stream({
        model: 'claude-sonnet-4-6',
        max_tokens: 1000,
        tools: [...this.#tools.values()].map(({ definition }) => definition),
        ...(asked ? {} : { tool_choice: { type: 'any', disable_parallel_tool_use: true } }),
        messages: this.#messages,
      })
      .on('inputJson', (partial, snapshot) => console.log('input', partial.length >= 0, typeof snapshot))
      .finalMessage()
  }

  async #answer(message: Anthropic.Message): Promise<Anthropic.ToolResultBlockParam[]> {
    const results: Anthropic.ToolResultBlockParam[] = []
    for (const block of message.content) {
      if (block.type !== 'tool_use') continue
      const tool = this.#tools.get(block.name)
      const content = tool ? await tool.run(block.input as never) : 'no such tool'
      results.push({ type: 'tool_result', tool_use_id: block.id, is_error: !tool, ...(content ? { content } : {}) })
    }
    return results
  }
}

const read: AgentTool<{ path: string }> = {
  definition: {
    name: 'read_file',
    description: 'Reads a file.',
    input_schema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
  },
  run: async ({ path }) => [{ type: 'text', text: `the contents of ${path}` }],
}

console.log(await new Agent(new Anthropic(), [read as AgentTool<never>]).run('Read the notes.'))
