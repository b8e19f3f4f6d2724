import type { VNode } from 'preact'

/** The outlines, on a square of 16 units. */
const paths = {
  archive: 'M2.500 3h11v3h-11zM3.500 6v7h9V6M6.500 9h3',
  attach: 'M11 5 6.5 9.5a1.5 1.5 0 0 0 2 2L13 7a3 3 0 0 0-4.5-4L4 7.5a4.5 4.5 0 0 0 6.5 6L13 11',
  branch:
    'M5 3.5v9M5 8c4 0 6-1 6-4M3.5 3a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0M3.5 13a1.5 1.5 0 1 0 3 0 1.5 1.5 0 0 0-3 0M9.500 3a1.500 1.500 0 1 0 3 0 1.500 1.500 0 0 0-3 0',
  close: 'm4 4 8 8m0-8-8 8',
  columns: 'M2.500 3h11v10h-11zM8 3v10',
  copy: 'M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8z',
  down: 'M8 3v10m-4-4 4 4 4-4',
  edit: 'm3 13 .6-2.800 7.200-7.200 2.200 2.200-7.200 7.200zM9.600 4.200l2.200 2.200',
  filter: 'M2 4h12M4.500 8h7M6.500 12h3',
  help: 'M6 6a2 2 0 1 1 2.700 1.900c-.5.2-.7.600-.7 1.100v.5M8 12v.010M1.500 8a6.500 6.500 0 1 0 13 0 6.500 6.500 0 0 0-13 0',
  inspect: 'm5.500 4.500-3.500 3.500 3.500 3.500m5-7 3.500 3.500-3.500 3.500M9 3 7 13',
  menu: 'M2.500 4h11m-11 4h11m-11 4h11',
  more: 'M3.500 8v.010M8 8v.010M12.500 8v.010',
  pin: 'M5.500 2.500h5M6 2.500v4.500l-2 2.500h8l-2-2.500V2.500M8 9.500v4',
  plus: 'M8 3v10M3 8h10',
  retry: 'M13 8a5 5 0 1 1-1.500-3.500L13 6m0-3.500V6H9.500',
  search: 'M2.500 7a4.500 4.500 0 1 0 9 0 4.500 4.500 0 0 0-9 0M10.300 10.300l3.200 3.200',
  send: 'M8 13V3M4 7l4-4 4 4',
  settings: 'M2.500 5h5m4 0h2m-11 6h2m4 0h5M9.500 3.500v3m-3 3v3',
  themeDark: 'M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z',
  themeLight:
    'M5 8a3 3 0 1 0 6 0 3 3 0 0 0-6 0M8 1.500v1.500m0 10v1.500M1.500 8H3m10 0h1.500M3.400 3.400l1 1m7.200 7.200 1 1m0-9.200-1 1m-7.200 7.200-1 1',
  themeSystem: 'M2 8a6 6 0 1 0 12 0A6 6 0 0 0 2 8M8 2v12M8 4.500h4.500M8 7h6M8 9.500h5.700M8 12h4',
  trash: 'M3 4.500h10M6.500 4.500v-2h3v2M4.500 4.500l.5 9h6l.5-9',
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
