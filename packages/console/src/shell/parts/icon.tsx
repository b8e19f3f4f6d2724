import type { VNode } from 'preact'

/** The outlines, on a square of 16 units. */
const paths = {
  archive: 'M2.5 3h11v3h-11zM3.5 6v7h9V6M6.5 9h3',
  attach: 'M11 5 6.5 9.5a1.5 1.5 0 0 0 2 2L13 7a3 3 0 0 0-4.5-4L4 7.5a4.5 4.5 0 0 0 6.5 6L13 11',
  branch:
    'M5 3.5v9M5 8c4 0 6-1 6-4M3.5 3a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0M3.5 13a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0M9.5 3a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0',
  close: 'm4 4 8 8m0-8-8 8',
  columns: 'M2.5 3h11v10h-11zM8 3v10',
  copy: 'M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z',
  down: 'M8 3v10m-4-4 4 4 4-4',
  edit: 'm3 13 .6-2.8 7.2-7.2 2.2 2.2-7.2 7.2zM9.6 4.2l2.2 2.2',
  filter: 'M2 4h12M4.5 8h7M6.5 12h3',
  help: 'M6 6a2 2 0 1 1 2.7 1.9c-.5.2-.7.6-.7 1.1v.5M8 12v.01M1.5 8a6.5 6.5 0 1 0 13 0 6.5 6.5 0 0 0-13 0',
  inspect: 'm5.5 4.5-3.5 3.5 3.5 3.5m5-7 3.5 3.5-3.5 3.5M9 3 7 13',
  menu: 'M2.5 4h11m-11 4h11m-11 4h11',
  more: 'M3.5 8v.01M8 8v.01M12.5 8v.01',
  pin: 'M5.5 2.5h5M6 2.5v4.5l-2 2.5h8l-2-2.5V2.5M8 9.5v4',
  plus: 'M8 3v10M3 8h10',
  retry: 'M13 8a5 5 0 1 1-1.5-3.5L13 6m0-3.5V6H9.5',
  search: 'M2.5 7a4.5 4.5 0 1 0 9 0 4.5 4.5 0 0 0-9 0M10.3 10.3l3.2 3.2',
  send: 'M8 13V3M4 7l4-4 4 4',
  settings: 'M2.5 5h5m4 0h2m-11 6h2m4 0h5M9.5 3.5v3m-3 3v3',
  themeDark: 'M13 9.5A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.5z',
  themeLight:
    'M5 8a3 3 0 1 0 6 0 3 3 0 0 0-6 0M8 1.5v1.5m0 10v1.5M1.5 8H3m10 0h1.5M3.4 3.4l1 1m7.2 7.2 1 1m0-9.2-1 1m-7.2 7.2-1 1',
  themeSystem: 'M2 8a6 6 0 1 0 12 0A6 6 0 0 0 2 8M8 2v12M8 4.5h4.5M8 7h6M8 9.5h5.7M8 12h4',
  trash: 'M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9',
} as const

export type IconName = keyof typeof paths

/** A drawing that stands for words. The words are beside it, or in the label of its button. */
export function Icon({ name }: { name: IconName }): VNode {
  return (
    <svg class="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  )
}
