import { isObject } from '../json/json-object.ts'
import { isBlank } from '../sendable.ts'

/** A content block, of which nothing is certain. */
type Block = Readonly<Record<string, unknown>>

type Check = (block: Block) => boolean

const isText = (value: unknown): value is string => typeof value === 'string'
const isTextOrNone = (value: unknown): boolean => value == null || isText(value)

const isUrlSource: Check = ({ url }) => isText(url)
const isFileSource: Check = ({ file_id: id }) => isText(id)
const isDataSource: Check = ({ media_type: type, data }) => isText(type) && isText(data)
const isContentSource: Check = ({ content }) => isText(content) || isListOf(content, ['text', 'image'])

const isCall: Check = ({ id, name }) => isText(id) && isText(name)

const imageSources: Readonly<Record<string, Check>> = { base64: isDataSource, url: isUrlSource, file: isFileSource }
const documentSources: Readonly<Record<string, Check>> = {
  ...imageSources,
  text: isDataSource,
  content: isContentSource,
}

const isTitle = (value: unknown): boolean => value === null || isText(value)
const inDocument = { cited_text: isText, document_index: Number.isInteger, document_title: isTitle }

/** The fields that the API needs in each kind of citation. */
const citationFields: Readonly<Record<string, Readonly<Record<string, (value: unknown) => boolean>>>> = {
  char_location: { ...inDocument, start_char_index: Number.isInteger, end_char_index: Number.isInteger },
  page_location: { ...inDocument, start_page_number: Number.isInteger, end_page_number: Number.isInteger },
  content_block_location: { ...inDocument, start_block_index: Number.isInteger, end_block_index: Number.isInteger },
  web_search_result_location: { cited_text: isText, title: isTitle, url: isText, encrypted_index: isText },
  search_result_location: {
    cited_text: isText,
    source: isText,
    title: isTitle,
    search_result_index: Number.isInteger,
    start_block_index: Number.isInteger,
    end_block_index: Number.isInteger,
  },
}

const resultTypes = ['text', 'image', 'document', 'search_result', 'tool_reference', 'browser_state']

const fields: Readonly<Record<string, Check>> = {
  text: ({ text, citations }) =>
    isText(text) && (citations == null || (Array.isArray(citations) && citations.every(isObject))),
  image: ({ source }) => isOneOf(imageSources, source),
  document: ({ source, title, context }) =>
    isOneOf(documentSources, source) && isTextOrNone(title) && isTextOrNone(context),
  search_result: ({ source, title, content }) => isText(source) && isText(title) && isListOf(content, ['text']),
  tool_reference: ({ tool_name: name }) => isText(name),
  container_upload: isFileSource,
  thinking: ({ thinking }) => isText(thinking),
  tool_use: isCall,
  server_tool_use: isCall,
  tool_result: ({ tool_use_id: id, content, is_error: isError }) =>
    isText(id) &&
    (content === undefined || isText(content) || isListOf(content, resultTypes)) &&
    (isError === undefined || typeof isError === 'boolean'),
}

/**
 * Whether the block has the fields of its type, each with a value of a type that the API takes. True for types that this
 * version does not know.
 */
export function hasBlockFields(block: object): boolean {
  const { type } = block as Block
  return !isText(type) || !Object.hasOwn(fields, type) || fields[type]!(block as Block)
}

/** Whether each citation of a text block has the fields of its kind. True for kinds that this version does not know. */
export function hasCitationFields({ citations }: Block): boolean {
  if (!Array.isArray(citations)) return true
  return citations.every((citation: Block) => {
    const { type } = citation
    if (!isText(type) || !Object.hasOwn(citationFields, type)) return isText(type)
    return Object.entries(citationFields[type]!).every(([name, isValid]) => isValid(citation[name]))
  })
}

/** Whether the block is a tool result that reports an error and says nothing about it, which the API refuses. */
export function isSilentFailure(block: object): boolean {
  const { type, content, is_error: isError } = block as Block
  if (type !== 'tool_result' || isError !== true) return false
  return (
    content === undefined || (isText(content) && isBlank(content)) || (Array.isArray(content) && content.length === 0)
  )
}

/** The content of such a result when it is sent. */
export const silentFailureText = 'The tool failed without a message.'

/** Whether the value is a block that the content of a tool result may hold. */
export function isResultBlock(value: unknown): value is Block {
  return isBlockOf(value, resultTypes)
}

function isOneOf(kinds: Readonly<Record<string, Check>>, source: unknown): boolean {
  if (!isObject(source)) return false
  const { type } = source
  return isText(type) && Object.hasOwn(kinds, type) && kinds[type]!(source)
}

function isListOf(value: unknown, types: readonly string[]): boolean {
  return Array.isArray(value) && value.every((each) => isBlockOf(each, types))
}

function isBlockOf(value: unknown, types: readonly string[]): value is Block {
  return isObject(value) && isText(value['type']) && types.includes(value['type']) && hasBlockFields(value)
}
