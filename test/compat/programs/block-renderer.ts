import Anthropic from '@anthropic-ai/sdk'
import type { ContentBlock, ContentBlockParam, TextCitation } from '@anthropic-ai/sdk/resources/messages'

function renderCitation(citation: TextCitation): string {
  switch (citation.type) {
    case 'char_location':
      return `${citation.document_title ?? '?'}:${citation.start_char_index}-${citation.end_char_index}`
    case 'page_location':
      return `p. ${citation.start_page_number}`
    case 'content_block_location':
      return `block ${citation.start_block_index}`
    case 'search_result_location':
      return citation.source
    case 'web_search_result_location':
      return citation.url
    default:
      return '?'
  }
}

function render(block: ContentBlock): string {
  switch (block.type) {
    case 'text':
      return block.text + (block.citations ?? []).map((citation) => ` [${renderCitation(citation)}]`).join('')
    case 'thinking':
      return `<thinking ${block.signature.length > 0}>${block.thinking}`
    case 'redacted_thinking':
      return '<redacted>'
    case 'tool_use':
      return `${block.name}(${JSON.stringify(block.input)})`
    case 'server_tool_use':
      return `server ${block.name}(${JSON.stringify(block.input)})`
    case 'web_search_tool_result':
      return Array.isArray(block.content)
        ? block.content.map(({ title, url }) => `${title} <${url}>`).join(', ')
        : `failed: ${block.content.error_code}`
    case 'code_execution_tool_result':
      return block.content.type === 'code_execution_result' ? block.content.stdout : block.content.type
    case 'bash_code_execution_tool_result':
    case 'text_editor_code_execution_tool_result':
    case 'web_fetch_tool_result':
    case 'tool_search_tool_result':
      return `${block.type} of ${block.tool_use_id}`
    case 'container_upload':
      return block.file_id
    default:
      return 'something new'
  }
}

const reply: ContentBlock[] = [
  { type: 'thinking', thinking: 'Hm.', signature: 'EqQB' },
  { type: 'redacted_thinking', data: 'EmwK' },
  { type: 'text', text: 'Green.', citations: null },
]
console.log(reply.map(render).join('\n'))

const again: ContentBlockParam[] = reply
const client = new Anthropic()
const message = await client.messages.create({
  model: 'claude-sonnet-4-6',
  max_tokens: 200,
  messages: [
    { role: 'user', content: 'Which colour?' },
    { role: 'assistant', content: again.filter(({ type }) => type === 'text') },
    { role: 'user', content: 'Are you sure?' },
  ],
})
console.log(message.content.map(render).join('\n'))
