import type { Promisable } from '../runnable.ts'
import type { CacheControlEphemeral } from '../../protocol/types/tools/options.ts'
import type { ToolUseBlock } from '../../protocol/types/message.ts'

/** How the result of a member is shown to the model, and whether the member is offered. */
export interface Member {
  /** The kind of its result. An action has none, or a line of text. */
  kind: 'action' | 'text' | 'image' | 'page' | 'tab' | 'tabs' | 'point'
  /** The text that the model reads after an action. Fields of the input replace `{text}`, `{ref}` and so on. */
  done?: string
  /** Whether the API offers the member only if `configs` enable it. Default false. */
  isOff?: boolean
  /** Whether the member, if it is enabled, needs a `confirm` function. Default false. */
  asks?: boolean
}

/** The members of a toolset. */
export interface MemberTable<Name extends string = string> {
  readonly type: 'browser_toolset_20260801' | 'computer_toolset_20260801'
  /** The `toolset_name` of calls. */
  readonly name: string
  readonly members: Readonly<Record<Name, Member>>
}

/** The call that a member, or a function of the options, is called for. */
export interface ToolsetCallContext {
  /** Absent if the program calls `run()` without it. */
  toolUse?: ToolUseBlock | undefined
  /** Aborts when the tool loop does. The loop waits for the member nevertheless. */
  signal?: AbortSignal | null | undefined
}

/** A call that waits for a decision. */
export interface ConfirmContext<Name extends string, Input> extends ToolsetCallContext {
  readonly member: Name
  readonly input: Input
}

/** The fields of the toolset's definition besides its type and `configs`. */
export interface ToolConfigs {
  cache_control?: CacheControlEphemeral | null
}

/** The options of every toolset. */
export interface ToolsetOptions<Configs extends object, Confirm> {
  /** Settings of the members, by name, which the API gets. Members that are not implemented are disabled in it. */
  configs?: Configs | undefined
  /** Decides about each call before it runs. Only true allows it; the model reads that the user declined the others. */
  confirm?: Confirm | undefined
  /** Further fields of the definition, such as `cache_control`. */
  toolConfigs?: ToolConfigs | undefined
}

/** A function that decides about a call. */
export type Confirm<Context> = (context: Context) => Promisable<boolean>

/** An image of the screen or the page. */
export interface ScreenshotResult {
  /** The image in Base64. */
  data: string
  /** Default `image/png`. */
  mediaType?: 'image/jpeg' | 'image/png' | 'image/gif' | 'image/webp' | undefined
}
