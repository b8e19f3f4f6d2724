import type {
  BrowserMemberInput,
  BrowserMemberName,
  BrowserStateChange,
  BrowserStateTabEntry,
  BrowserToolsetConfigs,
} from '../../../protocol/types/tools/toolset.ts'
import type { Promisable } from '../../runnable.ts'
import type { Confirm, ConfirmContext, ToolsetCallContext, ToolsetOptions } from '../member.ts'

/** The options of a browser toolset. */
export interface BrowserToolsetOptions extends ToolsetOptions<BrowserToolsetConfigs, BrowserConfirm> {
  /** Decides about each call before it runs. Required if `javascript_exec` or `file_upload` is enabled. */
  confirm?: BrowserConfirm | undefined
  /** Called after each call, also after one that was refused or failed, for the state that the model sees. */
  browserState: BrowserStateReader
  /**
   * Checks the URL of each `navigate`, except `back`, `forward` and `reload`. Redirects, and what a page loads, are not
   * checked: that is for the browser and its network to do.
   */
  urlPolicy?: URLPolicy | undefined
  /** Decides about files. Without it uploads are refused, and paths of downloads are hidden from the model. */
  filePolicy?: FilePolicy | undefined
}

/** Reports the state of the browser. An error that it throws ends the tool loop. */
export type BrowserStateReader = (context: ToolsetCallContext) => Promisable<BrowserState>

/** Allows a URL by returning nothing, and refuses it by throwing. The model reads the text of a `ToolError`. */
export type URLPolicy = (context: URLContext, url: string) => void | Promise<void>

/** A function that decides about a call. */
export type BrowserConfirm = Confirm<BrowserConfirmContext>

/** A call of a browser's member that waits for a decision. */
export interface BrowserConfirmContext extends ConfirmContext<BrowserMemberName, BrowserMemberInput> {
  /** The tab that the call is for, or the active one. */
  readonly tabId?: string | undefined
  /** The URL of that tab after the call before; undefined if it is not known. */
  readonly tabURL?: string | undefined
}

/** The call that a policy is asked about. */
export interface URLContext {
  member?: BrowserMemberName | undefined
  /** The tab that the model named. */
  tabId?: string | undefined
  toolUseId?: string | undefined
}

/** Decides which files the browser may upload, and which paths the model may see. */
export interface FilePolicy {
  /** The paths to upload for those that the model named. Throws a `ToolError` to refuse them. */
  resolveUploadPaths(context: URLContext, paths: string[]): Promisable<string[]>
  /** The same for ids of files that were uploaded to the API. */
  resolveUploadDocuments(context: URLContext, documentIds: string[]): Promisable<string[]>
  /** Whether the model may see the path of a download. */
  isPathVisible(path: string): Promisable<boolean>
}

/** The state of the browser after a call. */
export interface BrowserState {
  /** All tabs, at most 100. One of them is active. */
  tabs: BrowserStateTabEntry[]
  /** The changes since the last report. */
  state_changes?: Array<BrowserStateChange | NavigationRefused | DialogDismissed> | undefined
}

/** The browser refused a navigation, such as one that a page began. The model reads one line, without the URL. */
export interface NavigationRefused {
  type: 'navigation_refused'
}

/** The browser dismissed a dialog of a page. The model reads a line with the start of its message. */
export interface DialogDismissed {
  type: 'dialog_dismissed'
  /** `alert`, `confirm` or `prompt`. */
  kind: string
  message?: string | undefined
}
