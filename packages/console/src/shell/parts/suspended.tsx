import type { ComponentType, VNode } from 'preact'
import { useLoaded } from './loaded.tsx'

/** A view whose code is loaded when it is first shown. */
export function Suspended({ load }: { load: () => Promise<ComponentType> }): VNode {
  // A component is a function, and a state would call it.
  const { value, placeholder } = useLoaded(() => load().then((View) => ({ View })), [])
  return value ? <value.View /> : <main id="main">{placeholder}</main>
}
