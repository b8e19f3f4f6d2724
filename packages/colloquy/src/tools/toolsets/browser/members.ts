import type { BrowserMemberName, BrowserStateTabEntry } from '../../../protocol/types/tools/toolset.ts'
import type { MemberTable, ScreenshotResult } from '../member.ts'

/** The page that a navigation led to. */
export interface BrowserNavigateResult {
  /** The URL after all redirects. */
  url: string
  title?: string | undefined
  /** The HTTP status. */
  status?: number | undefined
}

/** The values that the members return, by name. An action may return a line of text for the model. */
export type BrowserResults = { [Name in BrowserMemberName]: ResultOf<Name> }

type ResultOf<Name> = Name extends 'navigate'
  ? BrowserNavigateResult
  : Name extends 'screenshot' | 'zoom'
    ? ScreenshotResult
    : Name extends 'read_page' | 'find' | 'get_page_text' | 'read_console' | 'read_network' | 'javascript_exec'
      ? string
      : Name extends 'new_tab' | 'switch_tab'
        ? BrowserStateTabEntry
        : Name extends 'list_tabs'
          ? BrowserStateTabEntry[]
          : Name extends 'close_tab'
            ? void
            : void | string

/** A value that a member of the browser returns. */
export type BrowserMemberResult = BrowserResults[BrowserMemberName]

/** The members of the browser toolset. */
export const browserTable: MemberTable<BrowserMemberName> = {
  type: 'browser_toolset_20260801',
  name: 'browser',
  members: {
    navigate: { kind: 'page' },
    screenshot: { kind: 'image' },
    zoom: { kind: 'image' },
    left_click: { kind: 'action', done: 'Clicked.' },
    right_click: { kind: 'action', done: 'Right-clicked.' },
    middle_click: { kind: 'action', done: 'Middle-clicked.' },
    double_click: { kind: 'action', done: 'Double-clicked.' },
    triple_click: { kind: 'action', done: 'Triple-clicked.' },
    hover: { kind: 'action', done: 'Hovered.' },
    left_click_drag: { kind: 'action', done: 'Dragged.' },
    left_mouse_down: { kind: 'action', done: 'Mouse button pressed.' },
    left_mouse_up: { kind: 'action', done: 'Mouse button released.' },
    mouse_move: { kind: 'action', done: 'Moved the mouse.' },
    scroll: { kind: 'action', done: 'Scrolled {scroll_direction}.' },
    scroll_to: { kind: 'action', done: 'Scrolled to {ref}.' },
    type: { kind: 'action', done: 'Typed.' },
    key: { kind: 'action', done: 'Pressed {text}.' },
    hold_key: { kind: 'action', done: 'Held {text} for {duration}s.' },
    form_input: { kind: 'action', done: 'Set the value of {ref}.' },
    read_page: { kind: 'text' },
    find: { kind: 'text' },
    get_page_text: { kind: 'text' },
    wait: { kind: 'action', done: 'Waited {duration}s.' },
    file_upload: { kind: 'action', done: 'Uploaded.', isOff: true, asks: true },
    read_console: { kind: 'text', isOff: true },
    read_network: { kind: 'text', isOff: true },
    javascript_exec: { kind: 'text', isOff: true, asks: true },
    new_tab: { kind: 'tab' },
    list_tabs: { kind: 'tabs' },
    switch_tab: { kind: 'tab' },
    close_tab: { kind: 'tabs' },
  },
}
