import type { VNode } from 'preact'
import { Axes, Columns, centreOf, yOf } from './axes.tsx'
import { ChartFrame, type ChartPoint, type ChartProps, chartHeight } from './chart.tsx'
import { ticks } from './scale.ts'

/** Lines, each with a mark of its own shape, so that they differ without colour too. */
export function LineChart({ title, points, series = [], format, onSelect }: ChartProps): VNode {
  // Times are whole milliseconds, and so are the steps between them.
  const values = ticks(points.flatMap((point) => series.map((name) => Math.ceil(point.values[name] ?? 0))))
  const drawing = (width: number): VNode => (
    <svg width={width} height={chartHeight} role="group" aria-label={title}>
      <Axes {...{ width, values, points, format }} />
      {series.map((name, index) => (
        <Line key={name} {...{ name, index, points, width }} top={values.at(-1) ?? 1} />
      ))}
      <Columns {...{ width, points, series, format, onSelect }} />
    </svg>
  )
  return <ChartFrame {...{ title, points, series, format, drawing }} />
}

interface LineProps {
  name: string
  index: number
  points: readonly ChartPoint[]
  width: number
  top: number
}

const marks = ['M-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0', 'M-3-3H3V3H-3Z', 'M0-4L4 3H-4Z', 'M0-4L4 0L0 4L-4 0Z']

/** A period without a value leaves a gap. */
function Line({ name, index, points, width, top }: LineProps): VNode {
  const places = points.map((point, place) => {
    const value = point.values[name]
    return value === undefined ? undefined : ([centreOf(place, points.length, width), yOf(value, top)] as const)
  })
  const path = places
    .map((place, at) => place && `${places[at - 1] ? 'L' : 'M'}${place[0]} ${place[1]}`)
    .filter(Boolean)
  return (
    <g aria-hidden="true">
      <path class={`line line-${index}`} d={path.join('')} />
      {places.map(
        (place) =>
          place && (
            <path
              class={`series-${index}`}
              d={marks[index % marks.length]}
              transform={`translate(${place[0]} ${place[1]})`}
            />
          ),
      )}
    </g>
  )
}
