import type { ComponentChildren, VNode } from 'preact'
import { useState } from 'preact/hooks'
import { visibleText } from '../../format.ts'

/** Members at this depth and deeper are folded at first, unless the value is short. */
const openDepth = 2
const shortJson = 4_000
/** Longer texts are cut until they are opened, as are longer lists. */
const longText = 240
const longList = 100

/** A value as JSON whose objects and lists can be folded. */
export function JsonTree({ value }: { value: unknown }): VNode {
  return (
    <div class="json-tree" tabIndex={0} role="group" aria-label="JSON">
      <Value value={value} depth={JSON.stringify(value).length <= shortJson ? -10 : 0} />
    </div>
  )
}

function Value({ name, value, depth }: { name?: string | undefined; value: unknown; depth: number }): VNode {
  const label = name === undefined ? undefined : <span class="json-name">{name}: </span>
  if (typeof value === 'string') return <Text label={label} text={value} />
  if (typeof value !== 'object' || value === null) {
    return (
      <div>
        {label}
        <span class="json-other">{String(value)}</span>
      </div>
    )
  }
  return <Members label={label} value={value} depth={depth} />
}

function Members({ label, value, depth }: { label: ComponentChildren; value: object; depth: number }): VNode {
  const [isOpen, setOpen] = useState(depth < openDepth)
  const isList = Array.isArray(value)
  const entries = Object.entries(value)
  const [open, close] = isList ? '[]' : '{}'
  if (entries.length === 0) {
    return (
      <div>
        {label}
        {open}
        {close}
      </div>
    )
  }
  return (
    <details open={isOpen} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {label}
        {open}
        {!isOpen && (
          <span class="soft">
            {' '}
            {summaryOf(value, entries.length)} {close}
          </span>
        )}
      </summary>
      {isOpen && <Entries entries={entries} isList={isList} depth={depth} />}
      {close}
    </details>
  )
}

function Entries({ entries, isList, depth }: { entries: [string, unknown][]; isList: boolean; depth: number }): VNode {
  const [isWhole, setWhole] = useState(false)
  const shown = isWhole ? entries : entries.slice(0, longList)
  return (
    <div class="json-members">
      {shown.map(([name, value]) => (
        <Value key={name} name={isList ? undefined : name} value={value} depth={depth + 1} />
      ))}
      {shown.length < entries.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show all {entries.length}
        </button>
      )}
    </div>
  )
}

function Text({ label, text }: { label: ComponentChildren; text: string }): VNode {
  const [isWhole, setWhole] = useState(false)
  const isCut = !isWhole && text.length > longText
  return (
    <div>
      {label}
      <span class="json-text">{visibleText(JSON.stringify(isCut ? `${text.slice(0, longText)}…` : text))}</span>
      {isCut && (
        <button type="button" class="quiet" onClick={() => setWhole(true)}>
          {text.length.toLocaleString('en')} characters
        </button>
      )}
    </div>
  )
}

/** The role or type of an object, which says what is folded away. */
function summaryOf(value: object, count: number): string {
  const { role, type } = value as { role?: unknown; type?: unknown }
  const named = [role, type].find((each) => typeof each === 'string')
  return typeof named === 'string' ? `${named} …` : `${count} …`
}
