import type { VNode } from 'preact'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { PathMessageJson } from '../../api/types.ts'
import { visibleText } from '../../format.ts'
import type { OpenChat } from '../open-chat.ts'
import { shownContent, textOf } from './content-text.ts'
import { authorOf } from './message.tsx'

/** The messages at the end of a chat, and on both sides of one that is looked for, that are drawn at once. */
const nearEnd = 16
const nearTarget = 8
/** Far messages in one element: few enough to be drawn in a frame, and so many that the browser watches few elements. */
const groupLength = 8
/** Messages are drawn before the reader sees them: this many pixels above or below the view. */
const marginPixels = 1_500

interface Parts {
  /** The messages that are drawn one by one, and groups of those between them. */
  parts: (PathMessageJson | PathMessageJson[])[]
  /** Has messages of a group drawn one by one, from now on. */
  draw: (messages: readonly PathMessageJson[]) => void
}

/** Divides the messages of a chat. @param target the id of the message that is looked for. */
export function useParts(chat: OpenChat, all: readonly PathMessageJson[], target: string | undefined): Parts {
  const drawn = useMemo(() => new Set<string>(), [chat])
  const [, setDrawnCount] = useState(0)
  const add = (messages: readonly PathMessageJson[]): void => {
    for (const { id } of messages) drawn.add(id)
  }
  add(chat.isWhole.value ? all : nearMessages(all, target))
  const draw = (messages: readonly PathMessageJson[]): void => {
    add(messages)
    setDrawnCount(drawn.size)
  }
  return { parts: partsOf(all, drawn), draw }
}

/** The messages that the reader sees first. */
function nearMessages(all: readonly PathMessageJson[], target: string | undefined): PathMessageJson[] {
  const place = target === undefined ? -1 : all.findIndex(({ id }) => id === target)
  const around = place === -1 ? [] : all.slice(Math.max(0, place - nearTarget), place + nearTarget)
  return [...around, ...all.slice(-nearEnd)]
}

function partsOf(all: readonly PathMessageJson[], drawn: ReadonlySet<string>): Parts['parts'] {
  const parts: Parts['parts'] = []
  // From the end: messages that are loaded above change no group.
  for (const message of all.toReversed()) {
    const last = parts.at(-1)
    if (drawn.has(message.id)) parts.push(message)
    else if (Array.isArray(last) && last.length < groupLength) last.unshift(message)
    else parts.push([message])
  }
  return parts.toReversed()
}

interface FarMessagesProps {
  messages: readonly PathMessageJson[]
  /** Called once, when the reader comes close. */
  draw: () => void
}

/** Messages that are far from the view, as their text alone: a chat of thousands of whole messages takes seconds to draw. */
export function FarMessages({ messages, draw }: FarMessagesProps): VNode {
  const [isFilled, setFilled] = useState(false)
  const element = useRef<HTMLDivElement>(null)
  const drawNow = useRef(draw)
  drawNow.current = draw
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => entries.at(-1)?.isIntersecting && drawNow.current(), {
      root: element.current!.closest('.transcript'),
      rootMargin: `${marginPixels}px 0px`,
    })
    observer.observe(element.current!)
    // After the messages that the reader sees, each group in a task of its own.
    const timer = setTimeout(() => setFilled(true))
    return () => {
      observer.disconnect()
      clearTimeout(timer)
    }
  }, [])
  return (
    <div class="far" ref={element}>
      {(isFilled ? messages : []).map((message) => (
        <article key={message.id} class="message" aria-labelledby={`m${message.id}`}>
          <h2 id={`m${message.id}`}>{authorOf(message)}</h2>
          <p class="typed" dir="auto">
            {visibleText(textOf(shownContent(message)))}
          </p>
        </article>
      ))}
    </div>
  )
}
