// The browser and computer toolsets: one tool definition stands for all members of a set, which are called one by one.
import type { CacheControlEphemeral, ToolUseCaller } from './options.ts'

/** The tools of a browser, which the program runs. */
export interface BrowserToolset20260801 {
  type: 'browser_toolset_20260801'
  configs?: BrowserToolsetConfigs | null
  cache_control?: CacheControlEphemeral | null
}

/** The tools of a computer's screen, mouse and keyboard, which the program runs. */
export interface ComputerToolset20260801 {
  type: 'computer_toolset_20260801'
  configs?: ComputerToolsetConfigs | null
  cache_control?: CacheControlEphemeral | null
}

/** Settings of one member of a toolset. */
export interface ToolsetMemberConfig {
  /** Default true, except for `file_upload`, `read_console`, `read_network` and `javascript_exec` of the browser. */
  enabled?: boolean | null
  /** The model does not see the member until a tool search finds it. */
  defer_loading?: boolean | null
}

/** A call of a member of a toolset. Answer it with a `tool_result` block that has the same id. */
export interface ToolsetCall<Toolset extends string, Name extends string, Input> {
  type: 'tool_use'
  id: string
  toolset_name: Toolset
  name: Name
  input: Input
  caller?: ToolUseCaller
}

/** The inputs of the browser's members, by name. */
export interface BrowserInputs {
  navigate: InTab & { url: string }
  list_tabs: NoInput
  new_tab: NoInput
  switch_tab: { tab_id: string }
  close_tab: { tab_id: string }
  read_page: InTab & { depth?: number | null; filter?: BrowserReadPageFilter | null; ref?: string | null }
  get_page_text: InTab
  read_console: InTab
  read_network: InTab
  find: InTab & { query: string }
  form_input: InTab & { target: BrowserRefTarget; value: BrowserFormInputValue }
  file_upload: InTab & { target: BrowserRefTarget; paths?: string[] | null; document_ids?: string[] | null }
  scroll_to: InTab & { target: BrowserRefTarget }
  screenshot: InTab
  zoom: InTab & { region: number[] }
  left_click: BrowserClick
  right_click: BrowserClick
  middle_click: BrowserClick
  double_click: BrowserClick
  triple_click: BrowserClick
  hover: InTab & { target: BrowserClickTarget }
  left_click_drag: InTab & { from: BrowserCoordinateTarget; target: BrowserCoordinateTarget }
  left_mouse_down: AtCoordinate
  left_mouse_up: AtCoordinate
  mouse_move: AtCoordinate
  scroll: AtCoordinate & { scroll_direction: ScrollDirection; scroll_amount?: number | null }
  type: InTab & { text: string }
  key: InTab & { text: string; repeat?: number | null }
  hold_key: InTab & { text: string; duration: number }
  wait: InTab & { duration: number }
  javascript_exec: InTab & { text: string }
}

/** A member of the browser toolset. */
export type BrowserMemberName = keyof BrowserInputs
/** The input of the browser's member with this name. */
export type BrowserInput<Name extends BrowserMemberName> = BrowserInputs[Name]
export type BrowserMemberInput = BrowserInput<BrowserMemberName>
/** Settings of the browser's members, by name. */
export type BrowserToolsetConfigs = { [Name in BrowserMemberName]?: ToolsetMemberConfig | null }
/** A call of a member of the browser toolset. Narrow by `name`. */
export type BrowserToolUseBlock = { [Name in BrowserMemberName]: BrowserCall<Name> }[BrowserMemberName]
/** A call of the browser's member with this name. */
export type BrowserCall<Name extends BrowserMemberName> = ToolsetCall<'browser', Name, BrowserInput<Name>>

/** Whether `read_page` returns every element, or those that the user can act on. */
export type BrowserReadPageFilter = 'all' | 'interactive'
/** The value of a form field. */
export type BrowserFormInputValue = string | number | boolean
/** The place of a click: a point, or an element. */
export type BrowserClickTarget = BrowserCoordinateTarget | BrowserRefTarget

/** A point of the page, in pixels. */
export interface BrowserCoordinateTarget {
  type: 'coordinate'
  x: number
  y: number
}

/** An element of the page, by the reference that `read_page` or `find` returned. */
export interface BrowserRefTarget {
  type: 'ref'
  ref: string
}

/** The tabs of the browser, for the model to see. A block of a tool result. */
export interface BrowserStateBlockParam {
  type: 'browser_state'
  tabs: BrowserStateTabEntry[]
  state_changes?: BrowserStateChange[] | null
  cache_control?: CacheControlEphemeral | null
}

/** A tab of the browser. */
export interface BrowserStateTabEntry {
  tab_id: string
  title: string
  url: string
  active?: boolean
}

/** A change in the browser since the call before. */
export type BrowserStateChange =
  | BrowserStateChangeTabOpened
  | BrowserStateChangeDownloadStarted
  | BrowserStateChangeDownloadCompleted
  | BrowserStateChangeDownloadFailed

/** A tab was opened. */
export interface BrowserStateChangeTabOpened {
  type: 'tab_opened'
  tab_id: string
}

/** A download began. */
export interface BrowserStateChangeDownloadStarted {
  type: 'download_started'
  download_id: string
  url: string
}

/** A download was completed. */
export interface BrowserStateChangeDownloadCompleted {
  type: 'download_completed'
  download_id: string
  url: string
  path?: string | null
  size_bytes?: number | null
}

/** A download failed. */
export interface BrowserStateChangeDownloadFailed {
  type: 'download_failed'
  download_id: string
  url: string
  error?: string | null
}

/** The inputs of the computer's members, by name. Coordinates are pixels: x, then y. */
export interface ComputerInputs {
  key: { text: string; repeat?: number | null }
  hold_key: { text: string; duration: number }
  type: { text: string }
  cursor_position: NoInput
  mouse_move: { coordinate: number[] }
  left_mouse_down: NoInput
  left_mouse_up: NoInput
  left_click: ComputerClick
  left_click_drag: { start_coordinate: number[]; coordinate: number[]; text?: string | null }
  right_click: ComputerClick
  middle_click: ComputerClick
  double_click: ComputerClick
  triple_click: ComputerClick
  scroll: ComputerClick & { scroll_direction: ScrollDirection; scroll_amount: number }
  wait: { duration: number }
  screenshot: NoInput
  zoom: { region: number[] }
}

/** A member of the computer toolset. */
export type ComputerMemberName = keyof ComputerInputs
/** The input of the computer's member with this name. */
export type ComputerInput<Name extends ComputerMemberName> = ComputerInputs[Name]
export type ComputerMemberInput = ComputerInput<ComputerMemberName>
/** Settings of the computer's members, by name. */
export type ComputerToolsetConfigs = { [Name in ComputerMemberName]?: ToolsetMemberConfig | null }
/** A call of a member of the computer toolset. Narrow by `name`. */
export type ComputerToolUseBlock = { [Name in ComputerMemberName]: ComputerCall<Name> }[ComputerMemberName]
/** A call of the computer's member with this name. */
export type ComputerCall<Name extends ComputerMemberName> = ToolsetCall<'computer', Name, ComputerInput<Name>>

/** A direction to scroll in. */
export type ScrollDirection = 'up' | 'down' | 'left' | 'right'

/** An input without fields. */
type NoInput = object

/** The tab that a member acts on. Default: the active one. */
interface InTab {
  tab_id?: string | null
}

interface AtCoordinate extends InTab {
  target: BrowserCoordinateTarget
}

interface BrowserClick extends InTab {
  target: BrowserClickTarget
  /** Keys that are held, such as `ctrl+shift`. */
  modifiers?: string | null
}

interface ComputerClick {
  coordinate?: number[] | null
  /** Keys that are held, such as `ctrl`. */
  text?: string | null
}
