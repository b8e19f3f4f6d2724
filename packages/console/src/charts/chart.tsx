import { type Signal, signal } from '@preact/signals'
import type { ComponentChildren, VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'

/** A place on the horizontal axis of a chart. */
export interface ChartPoint {
  /** The same in all charts of a page, so that their cursors move together. */
  key: string
  label: string
  values: Readonly<Record<string, number>>
  /** The period has not ended. */
  isPartial?: boolean
}

export interface ChartProps {
  title: string
  points: readonly ChartPoint[]
  /** The order of the series. Default: as `topSeries()` orders them. */
  series?: readonly string[]
  format: (value: number) => string
  /** Writes a value of the axis, given the distance between two. Default: as `format`. */
  formatTick?: (value: number, step: number) => string
  /** Choices beside the title. */
  controls?: ComponentChildren
  /** Says why the points could not be loaded. */
  failure?: VNode | undefined
  /** Called when a point is chosen by click or Enter. */
  onSelect?: (point: ChartPoint) => void
}

/** The point under the pointer or focus, shared by the charts of a page. */
export const cursor: Signal<string | undefined> = signal(undefined)

export const chartHeight = 180
export const margin = { top: 8, right: 8, bottom: 22, left: 56 }

/** A chart with its title, its legend and a table of the same numbers. */
export function ChartFrame({
  title,
  points,
  series,
  format,
  drawing,
  controls,
  failure,
}: Pick<ChartProps, 'title' | 'points' | 'format' | 'controls' | 'failure'> & {
  series: readonly string[]
  drawing: (width: number) => ComponentChildren
}): VNode {
  const [isTable, setTable] = useState(false)
  const figure = useRef<HTMLElement>(null)
  const width = useWidth(figure)
  return (
    <figure class="chart" ref={figure}>
      <figcaption>
        <h2>{title}</h2>
        {controls}
        <button type="button" aria-pressed={isTable} onClick={() => setTable(!isTable)}>
          Show as table
        </button>
      </figcaption>
      {failure ?? (isTable ? <TableTwin {...{ title, points, series, format }} /> : drawing(width))}
      {!isTable && <Legend series={series} />}
      {!isTable && <Readout {...{ points, series, format }} />}
    </figure>
  )
}

function Legend({ series }: { series: readonly string[] }): VNode | undefined {
  if (series.length < 2) return undefined
  return (
    <ul class="legend">
      {series.map((name, index) => (
        <li key={name}>
          <svg width="12" height="12" aria-hidden="true">
            <rect width="12" height="12" class={`series-${index}`} />
          </svg>
          {name}
        </li>
      ))}
    </ul>
  )
}

/** The exact numbers of the point under the cursor, for eyes and for screen readers. */
function Readout({
  points,
  series,
  format,
}: Pick<ChartProps, 'points' | 'format'> & { series: readonly string[] }): VNode {
  const point = points.find(({ key }) => key === cursor.value)
  return <p class="readout">{point ? describe(point, series, format) : '\u00a0'}</p>
}

export function describe(point: ChartPoint, series: readonly string[], format: ChartProps['format']): string {
  const named = series.filter((name) => point.values[name]).map((name) => `${name} ${format(point.values[name] ?? 0)}`)
  const partial = point.isPartial ? ' (until now)' : ''
  return `${point.label}${partial}: ${named.join(', ') || format(0)}`
}

function TableTwin({
  title,
  points,
  series,
  format,
}: Pick<ChartProps, 'title' | 'points' | 'format'> & { series: readonly string[] }): VNode {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={title}>
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            {series.map((name) => (
              <th scope="col" class="right">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.key}>
              <th scope="row">{point.label}</th>
              {series.map((name) => (
                <td class="right">{format(point.values[name] ?? 0)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function useWidth(element: { current: HTMLElement | null }): number {
  const [width, setWidth] = useState(480)
  useEffect(() => {
    if (!element.current) return
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, entry.contentRect.width)))
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return width
}
