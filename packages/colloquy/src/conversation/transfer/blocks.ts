import { isObject } from '../../protocol/json/json-object.ts'
import { parseJson } from '../../protocol/codec/parse-json.ts'
import { cutElements, jsonMembers } from '../history/exact/json-members.ts'

/** A content block and its exact JSON. */
export interface SourceBlock {
  json: string
  block: AnyBlock
}

/** A value in the place of a content block. Only the type is certain; an empty type stands for a value that is not a block. */
export interface AnyBlock {
  type: string
  text?: unknown
  thinking?: unknown
  signature?: unknown
  data?: unknown
  id?: unknown
  name?: unknown
  input?: unknown
  tool_use_id?: unknown
  content?: unknown
  is_error?: unknown
  [other: string]: unknown
}

/** The blocks of a content, which is the JSON of a string or a list; undefined if it is neither. */
export function blocksOf(content: string): SourceBlock[] | undefined {
  if (content.startsWith('"')) {
    const text = JSON.parse(content) as string
    return [{ json: `{"type":"text","text":${content}}`, block: { type: 'text', text } }]
  }
  if (!content.startsWith('[')) return undefined
  return cutElements(content).map((json) => ({ json, block: typedBlock(parseJson(json)) }))
}

export function contentOf(blocks: readonly SourceBlock[]): string {
  return `[${blocks.map(({ json }) => json).join(',')}]`
}

export function textBlock(text: string): SourceBlock {
  return toBlock({ type: 'text', text })
}

/** The media type and the base64 of a `data:` URL. Both are undefined for any other text. */
export function dataIn(url: string): { type?: string; data?: string } {
  const [, type, data] = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/s.exec(url) ?? []
  return data === undefined ? {} : { type: type!, data }
}

export function toBlock(block: AnyBlock): SourceBlock {
  return { json: JSON.stringify(block), block }
}

/** The block with another value for a member; the text of the others stays. */
export function withMember({ json }: SourceBlock, name: string, value: unknown): SourceBlock {
  const members = jsonMembers(json).set(name, JSON.stringify(value))
  return fromMembers(members)
}

export function without({ json }: SourceBlock, ...names: readonly string[]): SourceBlock {
  const members = jsonMembers(json)
  for (const name of names) members.delete(name)
  return fromMembers(members)
}

function fromMembers(members: ReadonlyMap<string, string>): SourceBlock {
  const json = `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`
  return { json, block: parseJson(json) as AnyBlock }
}

function typedBlock(value: unknown): AnyBlock {
  return isObject(value) && typeof value['type'] === 'string' ? (value as AnyBlock) : { type: '' }
}
