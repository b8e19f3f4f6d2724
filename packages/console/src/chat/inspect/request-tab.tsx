import { type Signal, useSignal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { call } from '../../api/http.ts'
import type { ExchangeJson, PathMessageJson, PreviewJson } from '../../api/types.ts'
import { durationText, moneyText, timeText, tokenText } from '../../format.ts'
import { copyText } from '../../shell/copy.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { Facts } from '../../shell/parts/facts.tsx'
import { JsonTree } from '../../shell/parts/json-tree.tsx'
import { useLoaded } from '../../shell/parts/loaded.tsx'
import { notify } from '../../shell/status.tsx'
import { modelName } from '../models.ts'
import type { OpenChat } from '../open-chat.ts'
import { replay } from './replay.ts'
import { EventTimeline } from './event-timeline.tsx'
import { inspected } from './inspected.ts'
import { curlOf, headersOf, typescriptOf } from './snippets.ts'

/** The request of a reply, or the one that the next message would send. */
export function RequestTab({ chat }: { chat: OpenChat }): VNode {
  const replies = chat.messages.value.filter(({ role, usage }) => role === 'assistant' && usage).toReversed()
  const reply = replies.find(({ id }) => id === inspected.value)
  return (
    <>
      <select
        aria-label="Which request"
        value={reply?.id ?? ''}
        onChange={({ currentTarget }) => (inspected.value = currentTarget.value || undefined)}
      >
        <option value="">The next request</option>
        {replies.map(({ id, model, createdAt }) => (
          <option key={id} value={id}>
            {modelName(model)}, {timeText(createdAt)}
          </option>
        ))}
      </select>
      {reply ? <PastRequest key={reply.id} chat={chat} reply={reply} /> : <NextRequest chat={chat} />}
    </>
  )
}

function NextRequest({ chat }: { chat: OpenChat }): VNode {
  const path = `api/conversations/${encodeURIComponent(chat.id)}/preview`
  const { value, placeholder } = useLoaded(() => call<PreviewJson>('POST', path, {}), [path, chat.messages.value])
  if (!value?.request) return placeholder
  const { request, estimated, inputTokens, mostCost } = value
  return (
    <>
      <Facts
        rows={[
          ['Tokens in', `${estimated ? '≈' : ''}${tokenText(inputTokens)}`],
          ['Costs at most', mostCost ? moneyText(mostCost.usd) : 'no price'],
        ]}
      />
      <Parts
        parts={{ Body: () => <JsonTree value={request} />, ...requestParts(request) }}
        texts={{ Body: () => jsonText(request), ...requestTexts(request) }}
      />
    </>
  )
}

function PastRequest({ chat, reply }: { chat: OpenChat; reply: PathMessageJson }): VNode {
  const path = `api/conversations/${encodeURIComponent(chat.id)}/messages/${encodeURIComponent(reply.id)}/exchange`
  const { value, placeholder } = useLoaded(() => call<ExchangeJson>('GET', path), [path])
  if (!value) return placeholder
  const { request, exact, response, trace } = value
  return (
    <>
      <Facts rows={factsOf(reply)} />
      <Parts
        parts={{
          Body: () => (
            <>
              <JsonTree value={request} />
              <p class="soft small">
                {exact
                  ? 'As it was sent. Cache breakpoints are those that would be set now.'
                  : 'The messages as they were sent, with the settings that the chat has now.'}
              </p>
            </>
          ),
          Response: () => (response ? <JsonTree value={response} /> : <p class="soft">Nothing arrived.</p>),
          Events: () =>
            trace ? (
              <EventTimeline trace={trace} />
            ) : (
              <p class="soft">The program that received this reply did not note the times of its events.</p>
            ),
          ...requestParts(request),
        }}
        texts={{
          Body: () => jsonText(request),
          Response: () => jsonText(response),
          Events: () => jsonText(trace),
          ...requestTexts(request),
        }}
      />
      <p>
        <button
          type="button"
          onClick={() => void replay(chat, reply).catch((error: Error) => notify(`Cannot replay: ${error.message}`))}
        >
          Replay in a new chat
        </button>
      </p>
    </>
  )
}

function factsOf({ usage, timing, costUsd, estimated, error, stopReason, model }: PathMessageJson): [string, string][] {
  const input = usage?.input_tokens ?? 0
  const written = usage?.cache_creation_input_tokens ?? 0
  const read = usage?.cache_read_input_tokens ?? 0
  const output = usage?.output_tokens ?? 0
  return [
    ['POST /v1/messages', error ? (error.type ?? error.name) : `200 · ${stopReason ?? 'no stop reason'}`],
    ['Model', model ?? '–'],
    ...(timing ? [['Time', timesText(timing, output)] as [string, string]] : []),
    [
      'Tokens',
      [
        `${tokenText(input)} in`,
        ...(written ? [`${tokenText(written)} cache write`] : []),
        ...(read ? [`${tokenText(read)} cache read`] : []),
        `${tokenText(output)} out`,
      ].join(' · '),
    ],
    ['Cost', costUsd === undefined ? 'no price' : `${estimated ? '≈' : ''}${moneyText(costUsd)}`],
  ]
}

function timesText({ firstTextMs: first, totalMs }: NonNullable<PathMessageJson['timing']>, output: number): string {
  const writing = totalMs - (first ?? 0)
  return [
    durationText(totalMs),
    ...(first === null ? [] : [`first text ${durationText(first)}`]),
    ...(writing >= 100 && output > 1 ? [`${Math.round(output / (writing / 1_000))} tokens/s`] : []),
  ].join(' · ')
}

/** The parts that every request has besides its body. */
function requestParts(request: object): Record<string, () => ComponentChildren> {
  return {
    Headers: () => (
      <>
        <Facts rows={headersOf(request)} />
        <p class="soft small">The key stays with the server and is not in this page.</p>
      </>
    ),
    curl: () => <Snippet text={curlOf(request)} />,
    TypeScript: () => <Snippet text={typescriptOf(request)} />,
  }
}

function requestTexts(request: object): Record<string, () => string> {
  return {
    Headers: () =>
      headersOf(request)
        .map((header) => header.join(': '))
        .join('\n'),
    curl: () => curlOf(request),
    TypeScript: () => typescriptOf(request),
  }
}

function Snippet({ text }: { text: string }): VNode {
  return (
    <pre class="json" tabIndex={0}>
      <code>{text}</code>
    </pre>
  )
}

interface PartsProps {
  parts: Record<string, () => ComponentChildren>
  /** The texts that Copy copies. */
  texts: Record<string, () => string>
}

/** One part at a time, with a way to copy it. */
function Parts({ parts, texts }: PartsProps): VNode {
  const chosen: Signal<string> = useSignal('Body')
  const name = chosen.value in parts ? chosen.value : 'Body'
  return (
    <section class="parts" aria-label="Parts of the request">
      <div class="row">
        <div class="segments grow" role="group" aria-label="Part">
          {Object.keys(parts).map((each) => (
            <button key={each} type="button" aria-pressed={each === name} onClick={() => (chosen.value = each)}>
              {each}
            </button>
          ))}
        </div>
        <button
          type="button"
          class="quiet"
          aria-label={`Copy ${name}`}
          title={`Copy ${name}`}
          onClick={() => void copyText(texts[name]?.() ?? '', `${name} copied`)}
        >
          <Icon name="copy" />
        </button>
      </div>
      {parts[name]?.()}
    </section>
  )
}

function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2)
}
