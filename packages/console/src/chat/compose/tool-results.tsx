import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { countText, visibleText } from '../../format.ts'
import { Code } from '../../markdown/code-block.tsx'
import { isComposing } from '../../shell/commands/bindings.ts'
import { announce } from '../../shell/status.tsx'
import type { OpenChat } from '../open-chat.ts'
import { pretty } from '../message/content.tsx'
import { type AnyBlock, contentOf } from '../message/content-text.ts'

interface Result {
  text: string
  isError: boolean
}

const noResult: Result = { text: '', isError: false }

/** The tool calls that have no result yet, with a field for the result of each. */
export function ToolResults({ chat }: { chat: OpenChat }): VNode | undefined {
  // They stay until they are recorded: results that are refused can be sent again.
  const [results, setResults] = useState<Record<string, Result>>({})
  const calls = chat.isBusy.value ? [] : waitingCalls(chat)
  useEffect(() => {
    if (calls.length > 0) announce(`The reply waits for ${countText(calls.length, 'tool result')}`)
  }, [calls.length])
  if (calls.length === 0) return undefined
  const send = (): void => {
    void chat.send(calls.map(({ id }) => resultBlock(id as string, results[id as string] ?? noResult)))
    document.querySelector<HTMLElement>('#composer')?.focus()
  }
  return (
    <form
      class="results"
      aria-label="Tool results"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isComposing(event))
          event.currentTarget.requestSubmit()
      }}
    >
      <p>The reply waits for the result of each call.</p>
      {calls.map((call) => {
        const id = call.id as string
        const result = results[id] ?? noResult
        const change = (part: Partial<Result>): void => setResults({ ...results, [id]: { ...result, ...part } })
        return <CallFields key={id} {...{ call, result, change }} />
      })}
      <button type="submit" class="primary">
        {calls.length === 1 ? 'Send the result' : 'Send the results'}
      </button>
    </form>
  )
}

interface CallProps {
  call: AnyBlock
  result: Result
  change: (part: Partial<Result>) => void
}

function CallFields({ call, result, change }: CallProps): VNode {
  const name = visibleText(String(call.name))
  return (
    <fieldset>
      <legend>{name}</legend>
      <pre class="wrap" tabIndex={0} aria-label={`Input of ${name}`}>
        <Code language="json" code={pretty(call.input)} />
      </pre>
      <textarea
        aria-label={`Result of ${name}`}
        placeholder="Result"
        dir="auto"
        rows={2}
        // The API refuses an error without a text.
        required={result.isError}
        value={result.text}
        onInput={({ currentTarget }) => change({ text: currentTarget.value })}
      />
      <label>
        <input
          type="checkbox"
          checked={result.isError}
          onChange={({ currentTarget }) => change({ isError: currentTarget.checked })}
        />{' '}
        This is an error
      </label>
    </fieldset>
  )
}

function waitingCalls({ info, messages }: OpenChat): AnyBlock[] {
  const { waitingCalls } = info.value
  if (waitingCalls.length === 0) return []
  const blocks = messages.value.flatMap((message) => {
    const content = contentOf(message)
    return typeof content === 'string' ? [] : content
  })
  return waitingCalls.flatMap((id) => blocks.findLast((block) => block.type === 'tool_use' && block.id === id) ?? [])
}

function resultBlock(id: string, { text, isError }: Result): AnyBlock {
  return { type: 'tool_result', tool_use_id: id, content: text, ...(isError && { is_error: true }) }
}
