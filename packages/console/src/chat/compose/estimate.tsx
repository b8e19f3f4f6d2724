import type { VNode } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { call } from '../../api/http.ts'
import type { PreviewJson } from '../../api/types.ts'
import { moneyText, tokenText } from '../../format.ts'
import { type Attachment, contentOf } from './attachments.ts'

/** Time without typing after which the next request is estimated. */
const pauseMs = 500
/** Files are sent for each estimate, so that large ones wait for a longer pause. */
const bytesPerMs = 5_000

interface EstimateProps {
  chatId: string
  text: string
  files: readonly Attachment[]
  /** The most that a request may cost without a warning, in US dollars. 0: there is no warning. */
  warnUsd: number
}

/** The tokens of the next request, and the most that it can cost. */
export function Estimate({ chatId, text, files, warnUsd }: EstimateProps): VNode | undefined {
  const [preview, setPreview] = useState<PreviewJson>()
  useEffect(() => {
    setPreview(undefined)
    const controller = new AbortController()
    const path = `api/conversations/${encodeURIComponent(chatId)}/preview`
    const timer = setTimeout(
      () => {
        const body = { content: contentOf(text, files), request: false }
        // An estimate that fails is only missing: sending tells what is wrong.
        call<PreviewJson>('POST', path, body, controller.signal).then(setPreview, () => undefined)
      },
      pauseMs + bytesOf(files) / bytesPerMs,
    )
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [chatId, text, files])
  if (!preview) return undefined
  const { inputTokens, estimated, mostCost } = preview
  const isDear = warnUsd > 0 && mostCost !== null && Number(mostCost.usd) > warnUsd
  return (
    <span class={`small ${isDear ? 'warn' : 'soft'}`}>
      {estimated ? '≈' : ''}
      {tokenText(inputTokens)} in{mostCost && Number(mostCost.usd) > 0 && ` · at most ${moneyText(mostCost.usd)}`}
      {isDear && ` · more than your limit of ${moneyText(warnUsd)}`}
    </span>
  )
}

function bytesOf(files: readonly Attachment[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
