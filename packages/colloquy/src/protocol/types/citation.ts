import type { Unlisted } from './unlisted.ts'

/** The source of a cited text. */
export type TextCitation =
  | CitationCharLocation
  | CitationPageLocation
  | CitationContentBlockLocation
  | CitationsWebSearchResultLocation
  | CitationsSearchResultLocation
  | Unlisted

/** Whether the model may cite a document or search result. */
export interface CitationsConfigParam {
  /** Default false. */
  enabled?: boolean
}

/** A cited range of characters in a plain text document. */
export interface CitationCharLocation {
  type: 'char_location'
  cited_text: string
  document_index: number
  document_title: string | null
  /** From 0; the end is exclusive. */
  start_char_index: number
  end_char_index: number
  file_id?: string | null
}

/** A cited range of pages in a PDF. */
export interface CitationPageLocation {
  type: 'page_location'
  cited_text: string
  document_index: number
  document_title: string | null
  /** From 1; the end is exclusive. */
  start_page_number: number
  end_page_number: number
  file_id?: string | null
}

/** A cited range of blocks in a document of blocks. */
export interface CitationContentBlockLocation {
  type: 'content_block_location'
  cited_text: string
  document_index: number
  document_title: string | null
  start_block_index: number
  end_block_index: number
  file_id?: string | null
}

/** A cited web page of a search. */
export interface CitationsWebSearchResultLocation {
  type: 'web_search_result_location'
  cited_text: string
  title: string | null
  url: string
  /** Opaque; send it back with the block. */
  encrypted_index: string
}

/** A cited range of blocks in a search result of the program. */
export interface CitationsSearchResultLocation {
  type: 'search_result_location'
  cited_text: string
  source: string
  title: string | null
  search_result_index: number
  start_block_index: number
  end_block_index: number
}
