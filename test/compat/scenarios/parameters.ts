import type { MessageCreateParamsNonStreaming } from '@anthropic-ai/sdk/resources/messages'
import { hello, json, message } from '../fixtures.ts'
import type { Difference, Scenario } from '../scenario.ts'

const olderVersion: Difference = {
  name: 'sampling-version',
  at: 'requests.0.headers.anthropic-version',
  official: '2026-10-21',
  ours: '2023-06-01',
}

/** The parameters of a request: each one is sent unchanged. */
export const parameters: Scenario[] = [
  sends('the least there is', {}),
  sends('a system prompt', { system: 'Be brief.' }),
  sends('a system prompt of blocks with a cache mark', {
    system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
  }),
  sends('stop sequences', { stop_sequences: ['\n\nHuman:', 'END'] }),
  sends('metadata', { metadata: { user_id: '13803d75-b4b5-4c3e-b2a2-6f21399b021b' } }),
  sends('metadata of nobody', { metadata: { user_id: null } }),
  sends('a service tier', { service_tier: 'standard_only' }),
  sends('a speed', { speed: 'fast' }),
  sends('an inference geography', { inference_geo: 'us' }),
  sends('a container by id', { container: 'container_011CPR5CNjB747bTd36fQLFk' }),
  sends('a container with skills', {
    container: { skills: [{ type: 'anthropic', skill_id: 'pptx', version: 'latest' }] },
  }),
  sends('diagnostics', { diagnostics: { previous_message_id: null } }),
  sends('automatic caching', { cache_control: { type: 'ephemeral' } }),
  sends('no caching, said with null', { cache_control: null }),
  sends('adaptive thinking', { thinking: { type: 'adaptive', display: 'summarized' } }),
  sends('thinking between tools', { thinking: { type: 'between_tools' } }),
  sends('no thinking', { thinking: { type: 'disabled' } }),
  sends('a thinking budget', { max_tokens: 4096, thinking: { type: 'enabled', budget_tokens: 2048 } }),
  sends('an effort', { output_config: { effort: 'low' } }),
  sends('a JSON schema for the reply', {
    output_config: {
      format: {
        type: 'json_schema',
        schema: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false },
      },
    },
  }),
  sends('a tool with every field', {
    tools: [
      {
        name: 'get_weather',
        description: 'The weather in a city.',
        input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        strict: true,
        defer_loading: false,
        eager_input_streaming: true,
        input_examples: [{ city: 'Paris' }],
        allowed_callers: ['direct'],
        cache_control: { type: 'ephemeral' },
      },
    ],
  }),
  sends('the tools that the API defines', {
    tools: [
      { type: 'bash_20250124', name: 'bash' },
      { type: 'text_editor_20250728', name: 'str_replace_based_edit_tool', max_characters: 10_000 },
      { type: 'memory_20250818', name: 'memory' },
      { type: 'web_search_20260318', name: 'web_search', max_uses: 3, allowed_domains: ['example.com'] },
      { type: 'web_fetch_20260318', name: 'web_fetch', max_content_tokens: 1000, citations: { enabled: true } },
      { type: 'code_execution_20260521', name: 'code_execution' },
      { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' },
    ],
  }),
  ...(
    [
      { type: 'auto', disable_parallel_tool_use: true },
      { type: 'any' },
      { type: 'tool', name: 'bash' },
      { type: 'none' },
    ] as const
  ).map((choice) =>
    sends(`the tool choice ${choice.type}`, { tools: [{ type: 'bash_20250124', name: 'bash' }], tool_choice: choice }),
  ),
  sends('every block that a user may send', {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look:', cache_control: { type: 'ephemeral', ttl: '5m' } },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } },
          { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
          { type: 'image', source: { type: 'file', file_id: 'file_1' } },
          { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }, title: 'A' },
          { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Plain.' }, context: 'c' },
          { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'x' }] } },
          { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' }, citations: { enabled: true } },
          { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'r' }] },
          { type: 'container_upload', file_id: 'file_2' },
        ],
      },
    ],
  }),
  sends('a history with thinking, calls and results', {
    messages: [
      { role: 'user', content: 'Weather in Paris?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: '', signature: 'EqQBCgIYAhIM1gbcDa9GJw==' },
          { type: 'redacted_thinking', data: 'EmwKAhgBEgy3va3pzix' },
          { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Paris', π: 1.0 } },
          { type: 'tool_use', id: 'toolu_2', name: 'get_time', input: {}, caller: { type: 'direct' } },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: '18 °C' }] },
          { type: 'tool_result', tool_use_id: 'toolu_2', content: 'no clock', is_error: true },
          { type: 'text', text: 'Go on.' },
        ],
      },
    ],
  }),
  sends('an instruction in the middle', {
    messages: [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello' },
      { role: 'user', content: 'Go on' },
      { role: 'system', content: 'Answer in French from here on.' },
    ],
  }),
  sends('a beginning for the reply', {
    messages: [
      { role: 'user', content: 'JSON please' },
      { role: 'assistant', content: '{' },
    ],
  }),
  sends('text beyond ASCII', { messages: [{ role: 'user', content: 'é 漢字 😀 \u2028 "quoted" \\ \u0000' }] }),
  sends('half a surrogate pair', { messages: [{ role: 'user', content: 'Hello \ud83d' }] }, [
    {
      name: 'lone-surrogates',
      at: 'requests.0.body.messages.0.content',
      official: 'Hello \ud83d',
      ours: 'Hello \ufffd',
    },
  ]),
  sends('a parameter that nobody knows yet', { tomorrow: { a: [1, null] } }),
  sends('undefined fields, which JSON leaves out', { system: undefined, metadata: { user_id: undefined } }),
  sends('max_tokens 0 to warm the cache', { max_tokens: 0 }),
  sends('a user profile and a workspace, which are headers', {
    user_profile_id: 'uprof_1',
    workspace_id: 'wrkspc_1',
  }),
  sends('a temperature', { temperature: 0.2 }, [olderVersion]),
  sends('top_p and top_k', { top_p: 0.9, top_k: 40 }, [olderVersion]),
]

function sends(name: string, params: object, differs: readonly Difference[] = []): Scenario {
  return {
    name,
    replies: [json(message())],
    run: ({ client }) => client.messages.create({ ...hello, ...params } as MessageCreateParamsNonStreaming),
    differs,
  }
}
