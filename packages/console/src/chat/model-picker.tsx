import type { VNode } from 'preact'
import type { ModelChoiceJson } from '../api/types.ts'
import { models } from './models.ts'

/** A list of the models that the server can use. */
export function ModelPicker({ value, onChange }: { value: string; onChange: (model: string) => void }): VNode {
  const all = models.value?.data ?? []
  return (
    <select
      class="model"
      aria-label="Model"
      value={value}
      onChange={({ currentTarget }) => onChange(currentTarget.value)}
    >
      {!all.some(({ id }) => id === value) && <option value={value}>{value}</option>}
      <Group label="On this machine" models={all.filter(({ isLocal }) => isLocal)} />
      <Group label="Over the network" models={all.filter(({ isLocal }) => !isLocal)} />
    </select>
  )
}

function Group({ label, models }: { label: string; models: readonly ModelChoiceJson[] }): VNode | undefined {
  if (models.length === 0) return undefined
  return (
    <optgroup label={label}>
      {models.map(({ id, displayName, price }) => (
        <option
          key={id}
          value={id}
          title={price ? `$${price.inputUsd} in, $${price.outputUsd} out per million tokens` : undefined}
        >
          {displayName}
        </option>
      ))}
    </optgroup>
  )
}
