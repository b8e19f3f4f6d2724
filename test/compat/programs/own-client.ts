import { Anthropic } from '@anthropic-ai/sdk'

class Team extends Anthropic {
  calls = 0

  override withOptions(options: Partial<ConstructorParameters<typeof Anthropic>[0]>): this {
    this.calls += 1
    return super.withOptions(options ?? {})
  }

  async greet(name: string): Promise<string> {
    const { content } = await this.messages.create({
      model: 'claude-sonnet-4-6',
      max_tokens: 50,
      messages: [{ role: 'user', content: `I am ${name}` }],
    })
    return content.map((block) => (block.type === 'text' ? block.text : '')).join('')
  }
}

const team = new Team({ defaultHeaders: { 'x-team': '1' } })
console.log(await team.greet('Ada'))
const patient = team.withOptions({ timeout: 120_000, maxRetries: 5 })
console.log(patient instanceof Team, patient.timeout, patient.maxRetries, team.maxRetries, team.calls)
console.log(Anthropic.DEFAULT_TIMEOUT, Anthropic.APIError === Team.APIError)
