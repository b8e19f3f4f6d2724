import type { ComponentType, VNode } from 'preact'
import { loadCode } from '../../api/http.ts'
import { useLoaded } from './loaded.tsx'

interface SuspendedProps {
  load: () => Promise<ComponentType>
  /** Puts the parts around the placeholder that the loaded code has around its content. Default: those of a view. */
  frame?: (placeholder: VNode) => VNode
}

/** A part of the page whose code is loaded when it is first shown. */
export function Suspended({ load, frame = mainOf }: SuspendedProps): VNode {
  // A component is a function, and a state would call it.
  const { value, placeholder } = useLoaded(() => loadCode(load).then((View) => ({ View })), [])
  return value ? <value.View /> : frame(placeholder)
}

function mainOf(placeholder: VNode): VNode {
  return <main id="main">{placeholder}</main>
}
