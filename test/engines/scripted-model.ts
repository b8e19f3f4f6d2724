import { writeFileSync } from 'node:fs'
import { type GgufTensor, gguf } from '../gguf.ts'

/** The replies of a scripted model. */
export interface ModelScript {
  /** The reply while the prompt does not contain `until`, in pieces. Each piece becomes a token, so all have to differ. */
  first: readonly string[]
  /** A text that the prompt contains once the first reply has had its effect. It becomes a token. */
  until: string
  /** The reply from then on, in pieces. */
  then: readonly string[]
  /** Words of the prompts, which then take fewer tokens than bytes. */
  words?: Iterable<string>
  /** The tokens of the replies that are control tokens. */
  control?: readonly string[]
  /** The beginning of the chat template, which may refuse messages. */
  rule?: string
  /** The end of the chat template. */
  end?: string
}

/**
 * Writes a model of the architecture `llama` whose weights make it say the script. Its one layer has one head, which looks for
 * `until` in the whole prompt. The next token depends on the last one and, at the beginning of a reply, on whether the head
 * has found `until`.
 */
export function writeScriptedModel(path: string, script: ModelScript): void {
  const vocabulary = vocabularyOf(script)
  writeFileSync(path, gguf(metadata(vocabulary, script), weights(script, vocabulary)))
}

const beginning = '<|assistant|>'
const end = '<|end|>'
const control = [end, '<|system|>', '<|user|>', beginning]
const template = [
  `{% for message in messages %}<|{{ message.role }}|>{{ message.content }}${end}{% endfor %}`,
  `{% if add_generation_prompt %}${beginning}{% endif %}`,
].join('')

/** Signs that end a JSON text, so that a grammar always comes to its end. */
const signs = ['"', '}', ']', '{']

/** The tokens. The tokenizer, that of RWKV, takes the longest token that fits and has escapes such as `\x0a`. */
function vocabularyOf({ first, until, then, words = [] }: ModelScript): string[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
  return [...new Set([...control, ...bytes, ...first, until, ...then, ...words])]
}

function escaped(token: string): string {
  return token.replaceAll(/[\\\0-\x1f\x7f-\xff]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** Numbers for each token: also the length of the head, since there is only one. */
const size = 32
// The meaning of the numbers.
const always = 0
const isSought = 1
const isFound = 2
const firstState = 3

function metadata(
  vocabulary: readonly string[],
  { rule = '', end: last = '', control: more = [] }: ModelScript,
): Parameters<typeof gguf>[0] {
  return {
    'general.architecture': 'llama',
    'general.name': 'Scripted',
    'llama.context_length': 131_072,
    'llama.embedding_length': size,
    'llama.block_count': 1,
    'llama.feed_forward_length': size,
    'llama.attention.head_count': 1,
    'llama.attention.head_count_kv': 1,
    'llama.attention.layer_norm_rms_epsilon': { float: 1e-5 },
    'llama.rope.dimension_count': size,
    'tokenizer.ggml.model': 'rwkv',
    'tokenizer.ggml.tokens': vocabulary.map(escaped),
    'tokenizer.ggml.token_type': vocabulary.map((token) => ([...control, ...more].includes(token) ? 3 : 1)),
    'tokenizer.ggml.eos_token_id': vocabulary.indexOf(end),
    'tokenizer.ggml.add_bos_token': false,
    'tokenizer.chat_template': `${rule}${template}${last}`,
  }
}

function weights(script: ModelScript, vocabulary: readonly string[]): Record<string, GgufTensor> {
  const ones: GgufTensor = { columns: size, values: new Float32Array(size).fill(1) }
  return {
    'token_embd.weight': embeddings(script, vocabulary),
    'output.weight': outputs(script, vocabulary),
    'output_norm.weight': ones,
    // So large that no position rotates anything: the head finds a token at any distance.
    'rope_freqs.weight': { columns: size / 2, values: new Float32Array(size / 2).fill(1e12) },
    'blk.0.attn_norm.weight': ones,
    'blk.0.attn_q.weight': matrix(size, [[0, always, 5]]),
    'blk.0.attn_k.weight': matrix(size, [[0, isSought, 4]]),
    'blk.0.attn_v.weight': matrix(size, [[0, isSought, 1]]),
    'blk.0.attn_output.weight': matrix(size, [[isFound, 0, 0.25]]),
    'blk.0.ffn_norm.weight': ones,
    'blk.0.ffn_gate.weight': matrix(size, []),
    'blk.0.ffn_up.weight': matrix(size, []),
    'blk.0.ffn_down.weight': matrix(size, []),
  }
}

/** A matrix of zeros but for these cells: row, column and value. */
function matrix(rows: number, cells: readonly (readonly [number, number, number])[]): GgufTensor {
  const values = new Float32Array(rows * size)
  for (const [row, column, value] of cells) values[row * size + column]! += value
  return { columns: size, values }
}

/** The tokens after which the script decides what comes next. */
function statesOf({ first, then }: ModelScript): string[] {
  const states = [beginning, ...first, ...then]
  if (states.length > size - firstState)
    throw new RangeError(`Cannot script ${states.length} tokens: the model is small`)
  return states
}

function embeddings(script: ModelScript, vocabulary: readonly string[]): GgufTensor {
  return matrix(vocabulary.length, [
    ...vocabulary.map((_, id) => [id, always, 1] as const),
    ...statesOf(script).map((token, state) => [vocabulary.indexOf(token), firstState + state, 1] as const),
    [vocabulary.indexOf(script.until), isSought, 1],
  ])
}

function outputs(script: ModelScript, vocabulary: readonly string[]): GgufTensor {
  const { first, then } = script
  const states = statesOf(script)
  const follows = (from: string, to: string, value: number): [number, number, number] => [
    vocabulary.indexOf(to),
    firstState + states.indexOf(from),
    value,
  ]
  const chain = (tokens: readonly string[]): [number, number, number][] =>
    tokens.map((token, at) => follows(token, tokens[at + 1] ?? end, 100))
  return matrix(vocabulary.length, [
    // After a token that is not of the script, the reply ends as soon as a grammar lets it.
    ...[end, ...signs].map((token, at) => [vocabulary.indexOf(token), always, 60 - 5 * at] as const),
    ...chain(first),
    ...chain(then),
    follows(beginning, first[0]!, 100),
    follows(beginning, then[0]!, 90),
    [vocabulary.indexOf(then[0]!), isFound, 30],
  ])
}
