import { type Signal, effect } from '@preact/signals'
import { stored } from './storage.ts'

export type Theme = 'system' | 'light' | 'dark'

/** The colours of the page. `system` follows the setting of the machine. */
export const theme: Signal<Theme> = stored<Theme>('theme', 'system')

effect(() => {
  const { dataset } = document.documentElement
  if (theme.value === 'system') delete dataset.theme
  else dataset.theme = theme.value
})

/** The next theme of the three-way switch. */
export function nextTheme(): void {
  const order: Theme[] = ['system', 'light', 'dark']
  theme.value = order[(order.indexOf(theme.value) + 1) % order.length] ?? 'system'
}
