import type { VNode } from 'preact'
import { Axes, Columns, centreOf, plotWidth, yOf } from './axes.tsx'
import { ChartFrame, type ChartPoint, type ChartProps, chartHeight } from './chart.tsx'
import { ticks, topSeries } from './scale.ts'

/** Stacked bars. The bar of a period that has not ended is hatched. */
export function BarChart({
  title,
  points: all,
  series: order,
  format,
  formatTick = format,
  controls,
  failure,
  onSelect,
}: ChartProps): VNode {
  const top = topSeries(all)
  const points: ChartPoint[] = top.points
  const series = order ?? top.series
  const values = ticks(points.map((point) => sumOf(point, series)))
  const drawing = (width: number): VNode => (
    <svg width={width} height={chartHeight} role="group" aria-label={title}>
      <Axes {...{ width, values, points }} format={formatTick} />
      {points.map((point, index) => (
        <Bar
          key={point.key}
          {...{ point, series, width }}
          x={centreOf(index, points.length, width)}
          top={values.at(-1) ?? 1}
          count={points.length}
        />
      ))}
      <Columns {...{ width, points, series, format, onSelect }} />
    </svg>
  )
  return <ChartFrame {...{ title, points, series, format, drawing, controls, failure }} />
}

interface BarProps {
  point: ChartPoint
  series: readonly string[]
  width: number
  x: number
  top: number
  count: number
}

function Bar({ point, series, width, x, top, count }: BarProps): VNode {
  const barWidth = Math.min(40, (plotWidth(width) / count) * 0.7)
  let sum = 0
  return (
    <g class={point.isPartial ? 'partial' : undefined} aria-hidden="true">
      {series.map((name, index) => {
        const value = point.values[name] ?? 0
        if (value <= 0) return undefined
        const bottom = yOf(sum, top)
        sum += value
        const y = yOf(sum, top)
        return (
          <rect
            class={`series-${index}`}
            x={x - barWidth / 2}
            y={y}
            width={barWidth}
            height={Math.max(0.5, bottom - y)}
          />
        )
      })}
    </g>
  )
}

function sumOf({ values }: ChartPoint, series: readonly string[]): number {
  return series.reduce((sum, name) => sum + (values[name] ?? 0), 0)
}
