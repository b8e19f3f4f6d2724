import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import { countText, visibleText } from '../../format.ts'
import { Code } from '../../markdown/code-block.tsx'
import { isComposing } from '../../shell/commands/bindings.ts'
import { announce, notify } from '../../shell/status.tsx'
import type { OpenChat } from '../open-chat.ts'
import { type AnyBlock, contentOf, pretty, resultText } from '../message/content-text.ts'
import { askNoMore, isRunnable, loadTools, runsUnasked } from './tools.ts'

interface Result {
  text: string
  isError: boolean
  /** The content that a tool returned. A change of the text removes it. */
  content?: unknown
}

const noResult: Result = { text: '', isError: false }

/** The tool calls that have no result yet, with a field for the result of each. The server can run the calls of its tools. */
export function ToolResults({ chat }: { chat: OpenChat }): VNode | undefined {
  // They stay until they are recorded: results that are refused can be sent again.
  const results = useSignal<Readonly<Record<string, Result>>>({})
  const running = useSignal<AbortController | undefined>(undefined)
  const calls = chat.isBusy.value ? [] : waitingCalls(chat)
  /** The calls that can be run, and have no result. */
  const open = (): AnyBlock[] => calls.filter((call) => isRunnable(call) && !results.value[idOf(call)])
  const send = (): void => {
    void chat.send(calls.map((call) => resultBlock(call, results.value[idOf(call)] ?? noResult)))
    document.querySelector<HTMLElement>('#composer')?.focus()
  }
  const put = (id: string, result: Result): void => void (results.value = { ...results.value, [id]: result })
  const run = async (): Promise<void> => {
    const controller = (running.value = new AbortController())
    await Promise.all(open().map(async (call) => put(idOf(call), await runCall(chat, call, controller.signal))))
      .then(() => calls.every((call) => results.value[idOf(call)]) && send())
      .catch((error: Error) => controller.signal.aborted || notify(error.message))
    running.value = undefined
  }
  const ids = calls.map(idOf).join(' ')
  useEffect(() => {
    if (calls.length === 0) return
    announce(`The reply waits for ${countText(calls.length, 'tool result')}`)
    void loadTools().then(async () => {
      if (calls.every((call) => runsUnasked(chat.id, call))) await run()
    })
  }, [ids])
  useEffect(() => () => running.value?.abort(), [])
  if (calls.length === 0) return undefined
  return (
    <form
      class="results"
      aria-label="Tool results"
      onSubmit={(event) => {
        event.preventDefault()
        if (open().length > 0) void run()
        else send()
      }}
      onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isComposing(event))
          event.currentTarget.requestSubmit()
      }}
    >
      <p>The reply waits for the result of each call.</p>
      {calls.map((call) => {
        const id = idOf(call)
        return <CallFields key={id} call={call} result={results.value[id]} change={(result) => put(id, result)} />
      })}
      {running.value ? (
        <button type="button" onClick={() => running.value?.abort()}>
          Stop
        </button>
      ) : (
        <Answers
          calls={calls}
          open={open()}
          refuse={() => {
            for (const call of open()) put(idOf(call), { text: refusalOf(call), isError: true })
            send()
          }}
          askNoMore={() => {
            askNoMore(chat.id, open())
            void run()
          }}
        />
      )}
    </form>
  )
}

interface AnswersProps {
  calls: readonly AnyBlock[]
  /** Those that can be run, and have no result. */
  open: readonly AnyBlock[]
  refuse: () => void
  askNoMore: () => void
}

function Answers({ calls, open, refuse, askNoMore }: AnswersProps): VNode {
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
      <button type="button" onClick={askNoMore}>
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

function waitingCalls({ info, messages }: OpenChat): AnyBlock[] {
  const { waitingCalls } = info.value
  if (waitingCalls.length === 0) return []
  const blocks = messages.value.flatMap((message) => {
    const content = contentOf(message)
    return typeof content === 'string' ? [] : content
  })
  return waitingCalls.flatMap((id) => blocks.findLast((block) => block.type === 'tool_use' && block.id === id) ?? [])
}

/** Runs a call on the server. Its result is shown, and sent as the tool returned it. */
async function runCall(chat: OpenChat, call: AnyBlock, signal: AbortSignal): Promise<Result> {
  const block = await chat.runCall(idOf(call), signal)
  return { text: resultText(block), isError: block.is_error === true, content: block.content }
}

function refusalOf({ name }: AnyBlock): string {
  return `The call of tool '${String(name)}' was declined: the user did not allow it`
}

function idOf({ id }: AnyBlock): string {
  return String(id)
}

function resultBlock(call: AnyBlock, { text, isError, content = text }: Result): AnyBlock {
  return { type: 'tool_result', tool_use_id: idOf(call), content, ...(isError && { is_error: true }) }
}
