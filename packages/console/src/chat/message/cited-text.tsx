import type { VNode } from 'preact'
import { visibleText } from '../../format.ts'
import { safeAddress } from '../../markdown/inline.tsx'
import { Markdown } from '../../markdown/markdown.tsx'
import { type Source, Sources, markOf } from '../../markdown/source-mark.tsx'
import type { AnyBlock } from './content-text.ts'

interface CitedTextProps {
  /** Text blocks that are one text. */
  run: readonly AnyBlock[]
  /** The last block is still arriving. */
  isOpen: boolean
}

/** A text with the numbers of its sources in it, and the sources below it. */
export function CitedText({ run, isOpen }: CitedTextProps): VNode {
  const sources: Source[] = []
  const texts = run.map((block, index) => {
    const cited = ((block.citations ?? []) as AnyBlock[]).map((citation) => numberOf(sourceOf(citation), sources))
    // A mark in a text that grows would stand in its middle.
    const isWhole = !isOpen || index < run.length - 1
    return isWhole ? marked(String(block.text), [...new Set(cited)]) : String(block.text)
  })
  return (
    <Sources.Provider value={sources}>
      <Markdown text={texts.join('')} isOpen={isOpen} />
      {sources.length > 0 && (
        <ol class="citations" aria-label="Sources">
          {sources.map((source, index) => (
            <li key={index}>
              <SourceLink source={source} />
            </li>
          ))}
        </ol>
      )}
    </Sources.Provider>
  )
}

/** The title of a source, as a link if it has an address. */
export function SourceLink({ source: { title, address, cited } }: { source: Source }): VNode {
  return (
    <span title={cited}>
      {address ? (
        <a href={address} target="_blank" rel="noopener noreferrer">
          {title}
        </a>
      ) : (
        title
      )}
    </span>
  )
}

/** The source of a citation, or of a result of a search. */
export function sourceOf({ title, document_title: document, url, cited_text: cited }: AnyBlock): Source {
  return {
    title: visibleText(String(title ?? document ?? url ?? 'Source')),
    address: typeof url === 'string' ? safeAddress(url) : undefined,
    cited: String(cited ?? ''),
  }
}

/** The place of a source in the list, counted from 1. A source that is cited again keeps its number. */
function numberOf(source: Source, sources: Source[]): number {
  const known = sources.findIndex(({ title, address }) => title === source.title && address === source.address)
  return known === -1 ? sources.push(source) : known + 1
}

/** The text with marks at its end, before white space and not behind the fence of code, which they would open. */
function marked(text: string, numbers: readonly number[]): string {
  const end = text.trimEnd()
  return /`{3}$|~{3}$/.test(end) ? text : end + numbers.map(markOf).join('') + text.slice(end.length)
}
