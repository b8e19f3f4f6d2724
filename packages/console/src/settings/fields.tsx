import type { Signal } from '@preact/signals'
import type { VNode } from 'preact'

interface ChoiceProps<T extends string> {
  label: string
  value: Signal<T>
  options: Record<T, string>
}

/** One of a few values. */
export function Choice<T extends string>({ label, value, options }: ChoiceProps<T>): VNode {
  return (
    <label class="setting">
      <span>{label}</span>
      <select value={value.value} onChange={({ currentTarget }) => (value.value = currentTarget.value as T)}>
        {(Object.entries(options) as [T, string][]).map(([name, text]) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}

interface DollarsProps {
  label: string
  /** A line below the label, which says what an empty field means. */
  hint: string
  /** 0: none. */
  value: number
  onChange: (usd: number) => void
}

/** An amount in US dollars. */
export function Dollars({ label, hint, value, onChange }: DollarsProps): VNode {
  return (
    <label class="setting">
      <span>
        {label}
        <small class="soft">{hint}</small>
      </span>
      <span class="dollars">
        $
        <input
          type="number"
          min={0}
          step="any"
          inputMode="decimal"
          value={value > 0 ? String(value) : ''}
          onChange={({ currentTarget }) => onChange(Number(currentTarget.value) || 0)}
        />
      </span>
    </label>
  )
}
