import type { Token, Tokens } from 'marked'
import { type ComponentChildren, type VNode, h } from 'preact'
import { visibleText } from '../format.ts'
import { decodeEntities } from '../../../cli/src/markdown/entities.ts'
import type { FormulaToken } from '../../../cli/src/markdown/formula/formula-lexer.ts'
import { type ElementToken, withElements } from '../../../cli/src/markdown/lexer/element.ts'
import type { FootnoteToken } from '../../../cli/src/markdown/lexer/footnote.ts'
import { Formula } from './formula.tsx'
import { withMarks } from './source-mark.tsx'

/** Renders emphasis, code, links, formulas, line breaks and the elements of HTML that only change the look of text. */
export function inline(tokens: readonly Token[] | undefined): ComponentChildren {
  return tokens && withElements(tokens).map(inlineToken)
}

function inlineToken(token: Token): ComponentChildren {
  const children = 'tokens' in token ? inline(token.tokens) : undefined
  switch (token.type) {
    case 'strong':
      return <strong>{children}</strong>
    case 'em':
      return <em>{children}</em>
    case 'del':
      return <del>{children}</del>
    case 'codespan':
      return <code>{visibleText((token as Tokens.Codespan).text)}</code>
    case 'br':
      return <br />
    case 'html':
      // The only way to break a line in the cell of a table.
      return /^<br\s*\/?>$/i.test(token.raw) ? <br /> : visibleText(token.raw)
    case 'element':
      return h((token as ElementToken).name, {}, children)
    case 'footnote':
      return <Footnote {...(token as FootnoteToken)} />
    case 'formula':
      return <Formula {...(token as FormulaToken)} />
    case 'link':
      return <Link {...(token as Tokens.Link)}>{children}</Link>
    case 'image':
      return <Image {...(token as Tokens.Image)} />
    case 'escape':
      return token.raw.slice(1)
    case 'checkbox':
      return undefined
    case 'text':
      return children ?? withMarks(visibleText(decodeEntities(token.raw)))
    default:
      return visibleText(token.raw)
  }
}

/** The name of a footnote. One in a text leads to the note, and that of the note back to the text. */
function Footnote({ name }: Pick<FootnoteToken, 'name'>): VNode {
  const go = (event: MouseEvent): void => {
    event.preventDefault()
    const here = event.currentTarget as HTMLElement
    const all = [...(here.closest('.markdown')?.querySelectorAll<HTMLElement>(`a[href="#note-${name}"]`) ?? [])]
    const other = here === all.at(-1) ? all[0] : all.at(-1)
    other?.scrollIntoView({ block: 'center' })
    other?.focus({ preventScroll: true })
  }
  return (
    <sup>
      <a href={`#note-${name}`} aria-label={`Footnote ${name}`} onClick={go}>
        {name}
      </a>
    </sup>
  )
}

interface LinkProps {
  href: string
  /** The visible text. */
  text: string
  children?: ComponentChildren
}

function Link({ href, text, children }: LinkProps): ComponentChildren {
  const address = safeAddress(href)
  if (!address) return <span>{children}</span>
  const { host } = new URL(address)
  const seen = seenHost(text)
  return (
    <>
      <a href={address} target="_blank" rel="noopener noreferrer" title={host || address}>
        {children}
      </a>
      {seen !== undefined && seen !== host && <span class="soft"> ({host || address})</span>}
    </>
  )
}

/** The host that the text of a link names. A link that leads to another one must not look like a link to it. */
function seenHost(text: string): string | undefined {
  return /^\s*(?:https?:\/\/)?((?:[\w-]+\.)+[a-z]{2,}(?::\d+)?)(?:[/?#\s]|$)/i.exec(text)?.[1]?.toLowerCase()
}

/** Shows an image as a link. It is never fetched, as its address could carry text of the chat to another server. */
function Image({ href, text }: { href: string; text: string }): ComponentChildren {
  const label = visibleText(`[image${text ? `: ${text}` : ''}]`)
  const address = safeAddress(href)
  return address ? (
    <Link href={address} text={label}>
      {label}
    </Link>
  ) : (
    <span>{label}</span>
  )
}

/** The address if a browser may open it from a reply: neither a script nor a path of this server. */
export function safeAddress(href: string): string | undefined {
  const decoded = decodeEntities(href)
  return /^(?:https?:\/\/|mailto:)[^\s\x00-\x1f\x7f]+$/i.test(decoded) && URL.canParse(decoded) ? decoded : undefined
}
