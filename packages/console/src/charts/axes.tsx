import type { VNode } from 'preact'
import { type ChartPoint, chartHeight, cursor, describe, margin } from './chart.tsx'

interface AxesProps {
  width: number
  values: readonly number[]
  points: readonly ChartPoint[]
  format: (value: number, step: number) => string
}

/** The horizontal lines with their values, and as many labels as there is room for. */
export function Axes({ width, values, points, format }: AxesProps): VNode {
  const top = values.at(-1) ?? 1
  const step = values[1] ?? 1
  const every = Math.max(1, Math.ceil((points.length * 64) / plotWidth(width)))
  return (
    <g class="axes" aria-hidden="true">
      {values.map((value) => (
        <g transform={`translate(0 ${yOf(value, top)})`}>
          <line x1={margin.left} x2={width - margin.right} />
          <text x={margin.left - 6} dy="0.32em" text-anchor="end">
            {format(value, step)}
          </text>
        </g>
      ))}
      {points.map((point, index) =>
        index % every ? undefined : (
          <text x={centreOf(index, points.length, width)} y={chartHeight - 6} text-anchor="middle">
            {point.label}
          </text>
        ),
      )}
    </g>
  )
}

interface ColumnsProps {
  width: number
  points: readonly ChartPoint[]
  series: readonly string[]
  format: (value: number) => string
  onSelect?: ((point: ChartPoint) => void) | undefined
}

/** Invisible columns that take the pointer and the keyboard: one Tab stop, arrow keys between the points. */
export function Columns({ width, points, series, format, onSelect }: ColumnsProps): VNode {
  const step = plotWidth(width) / Math.max(1, points.length)
  const current = Math.max(
    0,
    points.findIndex(({ key }) => key === cursor.value),
  )
  return (
    <g>
      {points.map((point, index) => (
        <rect
          key={point.key}
          class={point.key === cursor.value ? 'column current' : 'column'}
          x={margin.left + index * step}
          y={margin.top}
          width={step}
          height={plotHeight}
          tabIndex={index === current ? 0 : -1}
          role={onSelect ? 'button' : 'img'}
          aria-label={describe(point, series, format)}
          onPointerEnter={() => (cursor.value = point.key)}
          onPointerLeave={() => (cursor.value = undefined)}
          onFocus={() => (cursor.value = point.key)}
          onClick={() => onSelect?.(point)}
          onKeyDown={(event) => moveFocus(event, point, onSelect)}
        />
      ))}
    </g>
  )
}

function moveFocus(event: KeyboardEvent, point: ChartPoint, onSelect: ColumnsProps['onSelect']): void {
  const column = event.currentTarget as SVGRectElement
  const siblings = column.parentElement?.children ?? column.children
  const target = {
    ArrowLeft: column.previousElementSibling,
    ArrowRight: column.nextElementSibling,
    Home: siblings[0],
    End: siblings[siblings.length - 1],
  }[event.key]
  if (event.key === 'Enter' || event.key === ' ') onSelect?.(point)
  else if (target) (target as SVGRectElement).focus()
  else return
  event.preventDefault()
}

const plotHeight = chartHeight - margin.top - margin.bottom

export function plotWidth(width: number): number {
  return width - margin.left - margin.right
}

/** The vertical position of a value. */
export function yOf(value: number, top: number): number {
  return margin.top + plotHeight * (1 - value / top)
}

export function centreOf(index: number, count: number, width: number): number {
  return margin.left + ((index + 0.5) * plotWidth(width)) / Math.max(1, count)
}
