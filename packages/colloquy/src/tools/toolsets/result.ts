import type { TextBlockParam, ToolResultContent } from '../../protocol/types/params.ts'
import type { Member, ScreenshotResult } from './member.ts'
import { lineOf, shownUrl, wellFormed } from './text.ts'

/** The content for the value that a member returned, without the state of the browser. */
export function contentOf({ kind, done = '' }: Member, input: unknown, value: unknown): ToolResultContent[] {
  switch (kind) {
    case 'action': {
      // A line on its own: the acknowledgment must not look like a text of the page.
      const line = typeof value === 'string' ? lineOf(value) : ''
      return [textBlock(filled(done, input)), ...(line ? [textBlock(line)] : [])]
    }
    case 'text':
      return [textBlock(wellFormed(String(value)) || '(empty)')]
    case 'image': {
      const { data, mediaType = 'image/png' } = value as ScreenshotResult
      return [{ type: 'image', source: { type: 'base64', media_type: mediaType, data } }]
    }
    case 'page': {
      const { url, title, status } = value as { url: string; title?: string | null; status?: number | null }
      const named = title === undefined || title === null ? '' : ` — ${lineOf(title)}`
      const told = status === undefined || status === null ? '' : ` (HTTP ${status})`
      return [textBlock(`Navigated to ${shownUrl(url)}${named}${told}`)]
    }
    case 'point': {
      const { x, y } = value as { x: number; y: number }
      return [textBlock(`X=${x},Y=${y}`)]
    }
    default:
      // The tabs, which the state of the browser shows.
      return []
  }
}

/** A block of text. */
export function textBlock(text: string): TextBlockParam {
  return { type: 'text', text }
}

/** Fills in the fields of the input, in one pass: a value may look like another field. */
function filled(done: string, input: unknown): string {
  return done.replaceAll(/\{(scroll_direction|text|duration|ref)\}/g, (_, name: string) => {
    const { target } = input as { target?: unknown }
    const from = (name === 'ref' ? target : input) as Record<string, unknown> | null | undefined
    const value = from?.[name] as string | number | null | undefined
    return lineOf(String(value ?? ''))
  })
}
