import { type Context, type ComponentChildren, type VNode, createContext } from 'preact'
import { useContext } from 'preact/hooks'

/** A page or a document that a text cites. */
export interface Source {
  title: string
  /** An address that a browser may open. */
  address: string | undefined
  /** The words that are cited. */
  cited: string
}

/** The sources of a text, by the numbers of its marks. The first one has the number 1. */
export const Sources: Context<readonly Source[]> = createContext<readonly Source[]>([])

/**
 * A mark in Markdown that stands for the number of a source. It begins with a space of no width, so that an address before it
 * ends there, and its other characters have no meaning in Unicode.
 */
export function markOf(number: number): string {
  return `\ufeff\ue000${number}\ue001`
}

/** The text with a link in place of each mark. */
export function withMarks(text: string): ComponentChildren {
  const parts = text.split(/\ufeff\ue000(\d+)\ue001/)
  return parts.length === 1 ? text : parts.map((part, index) => (index % 2 ? <Mark number={Number(part)} /> : part))
}

function Mark({ number }: { number: number }): VNode | undefined {
  const source = useContext(Sources)[number - 1]
  if (!source) return undefined
  const { address, title } = source
  const shown = `[${number}]`
  return (
    <sup title={title}>
      {address ? (
        <a href={address} target="_blank" rel="noopener noreferrer" aria-label={`${shown} ${title}`}>
          {shown}
        </a>
      ) : (
        shown
      )}
    </sup>
  )
}
