import type { VNode } from 'preact'
import { visibleText } from '../../format.ts'
import { Code } from '../../markdown/code-block.tsx'
import { isComposing } from '../../shell/commands/bindings.ts'
import type { OpenChat } from '../open-chat.ts'
import { type AnyBlock, pretty } from '../message/content-text.ts'
import { type ToolAnswers, idOf, noResult, useToolAnswers } from './tool-answers.ts'
import type { Result } from './unsent-text.ts'

/** The tool calls that have no result yet, with a field for the result of each. The server can run the calls of its tools. */
export function ToolResults({ chat }: { chat: OpenChat }): VNode | undefined {
  const answers = useToolAnswers(chat)
  const { calls, result, change, submit, stop } = answers
  if (calls.length === 0) return undefined
  return (
    <form
      class="results"
      aria-label="Tool results"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isComposing(event))
          event.currentTarget.requestSubmit()
      }}
    >
      <p>The reply waits for the result of each call.</p>
      {calls.map((call) => (
        <CallFields key={idOf(call)} call={call} result={result(call)} change={(next) => change(call, next)} />
      ))}
      {stop ? (
        <button type="button" onClick={stop}>
          Stop
        </button>
      ) : (
        <Answers {...answers} />
      )}
    </form>
  )
}

function Answers({ calls, open, refuse, runUnasked }: ToolAnswers): VNode {
  if (open.length === 0)
    return (
      <button type="submit" class="primary">
        {calls.length === 1 ? 'Send the result' : 'Send the results'}
      </button>
    )
  return (
    <div class="row">
      <button type="submit" class="primary">
        {open.length === 1 ? 'Run the tool' : 'Run the tools'}
      </button>
      <button type="button" onClick={runUnasked}>
        Run, and do not ask again in this chat
      </button>
      <button type="button" onClick={refuse}>
        Refuse
      </button>
    </div>
  )
}

interface CallProps {
  call: AnyBlock
  result: Result | undefined
  change: (result: Result) => void
}

function CallFields({ call, result = noResult, change }: CallProps): VNode {
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
        onInput={({ currentTarget }) => change({ text: currentTarget.value, isError: result.isError })}
      />
      <label>
        <input
          type="checkbox"
          checked={result.isError}
          onChange={({ currentTarget }) => change({ ...result, isError: currentTarget.checked })}
        />{' '}
        This is an error
      </label>
    </fieldset>
  )
}
