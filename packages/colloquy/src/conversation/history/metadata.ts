import { jsonText } from '../../protocol/json/json-fault.ts'
import { isObject } from '../../protocol/json/json-object.ts'
import { AnthropicError } from '../../protocol/types/error.ts'
import { wellFormedJson } from '../../protocol/codec/well-formed-json.ts'
import type { Metadata } from '../../protocol/types/params.ts'

/** An object that a program keeps with a conversation. It is stored as JSON and never sent. */
export type ConversationMetadata = Readonly<Record<string, unknown>>

const maxMetadataLength = 65_536

/** The JSON of metadata. Throws an `AnthropicError` if it is not an object that JSON can hold, and a `RangeError` if it is too long. */
export function metadataJson(metadata: ConversationMetadata): string {
  const json = wellFormedJson(jsonText(metadata, 'set the metadata of a conversation') ?? '')
  if (!json.startsWith('{')) {
    throw new AnthropicError(
      `Cannot set the metadata of a conversation as it must be an object: found ${json || 'nothing'}`,
    )
  }
  if (json.length <= maxMetadataLength) return json
  throw new RangeError(
    `Cannot set the metadata of a conversation as its JSON must have at most ${maxMetadataLength} characters: ` +
      `it has ${json.length}`,
  )
}

export function parseMetadata(json: string | null): ConversationMetadata | undefined {
  try {
    const value: unknown = json === null ? undefined : JSON.parse(json)
    return isObject(value) ? value : undefined
  } catch {
    // Damaged metadata must not keep the conversations of a list from being shown.
    return undefined
  }
}

/** Metadata as a program gives it: the `user_id` is a setting and is sent, the rest stays with the conversation. */
export type GivenMetadata = Metadata | (Metadata & ConversationMetadata)

/**
 * Separates the setting `metadata` from a copy of the object to keep. Either is absent if it would be empty. Throws as
 * `metadataJson()`.
 */
export function splitMetadata(given: GivenMetadata | undefined): {
  setting: { metadata?: Metadata }
  kept: ConversationMetadata | undefined
} {
  // Refuses a list or a text, whose parts would be taken for members.
  if (given != null && (typeof given !== 'object' || Array.isArray(given))) metadataJson(given as never)
  const { user_id, ...kept } = given ?? {}
  return {
    setting: user_id === undefined ? {} : { metadata: { user_id } },
    kept: Object.keys(kept).length === 0 ? undefined : parseMetadata(metadataJson(kept)),
  }
}
