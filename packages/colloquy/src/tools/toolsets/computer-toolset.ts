import type { ToolResultContent } from '../../protocol/types/params.ts'
import type {
  ComputerInputs,
  ComputerMemberInput,
  ComputerMemberName,
  ComputerToolset20260801,
  ComputerToolsetConfigs,
} from '../../protocol/types/tools/toolset.ts'
import type { Promisable } from '../runnable.ts'
import { ToolError } from '../tool-error.ts'
import { textsOfError } from './answer.ts'
import type {
  Confirm,
  ConfirmContext,
  MemberTable,
  ScreenshotResult,
  ToolsetCallContext,
  ToolsetOptions,
} from './member.ts'
import { contentOf } from './result.ts'
import { type CallSteps, type Outcome, Toolset } from './toolset.ts'

/** The options of a computer toolset. */
export interface ComputerToolsetOptions extends ToolsetOptions<ComputerToolsetConfigs, ComputerConfirm> {
  /** Decides about each call before it runs. Required unless `type`, `key` and `hold_key` are disabled. */
  confirm?: ComputerConfirm | undefined
}

/** A function that decides about a call. */
export type ComputerConfirm = Confirm<ComputerConfirmContext>

/** A call of a computer's member that waits for a decision. */
export type ComputerConfirmContext = ConfirmContext<ComputerMemberName, ComputerMemberInput>

/** The place of the pointer, in pixels of the screenshot. */
export interface ComputerCursorPositionResult {
  x: number
  y: number
}

/** The values that the members return, by name. An action may return a line of text for the model. */
type ComputerResults = {
  [Name in ComputerMemberName]: Name extends 'screenshot' | 'zoom'
    ? ScreenshotResult
    : Name extends 'cursor_position'
      ? ComputerCursorPositionResult
      : void | string
}

/** A value that a member of the computer returns. */
export type ComputerMemberResult = ComputerResults[ComputerMemberName]

type Context = ToolsetCallContext
type Result<Name extends ComputerMemberName> = Promisable<ComputerResults[Name]>

interface Computer {
  type: 'computer_toolset_20260801'
  family: 'computer'
  name: ComputerMemberName
  input: ComputerMemberInput
  result: ComputerMemberResult
  configs: ComputerToolsetConfigs
  definition: ComputerToolset20260801
}

/**
 * The screen, mouse and keyboard of a computer for the model. A subclass implements the members that it can do, as methods of
 * their names; `type_` is the member `type`. The model is offered these members only. Coordinates are pixels of the
 * screenshot. An action returns nothing, or a line of text that the model reads.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { ComputerToolset } from 'colloquy/tools/toolsets'
 *
 * class Screen extends ComputerToolset {
 *   protected override left_click(_: unknown, { coordinate }: { coordinate?: number[] | null }) {
 *     return `Clicked at ${coordinate}`
 *   }
 * }
 * const runner = new Anthropic().beta.messages.toolRunner({
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 1024,
 *   tools: [new Screen()],
 *   messages: [{ role: 'user', content: 'What is 6 * 7?' }],
 * })
 * console.log((await runner).role) // assistant
 * ```
 */
export abstract class ComputerToolset extends Toolset<Computer> {
  constructor(options: ComputerToolsetOptions = {}) {
    super(computerTable, ComputerToolset, options, computerSteps)
  }

  /** Presses a key, or several together. */
  protected key?(context: Context, input: ComputerInputs['key']): Result<'key'>
  /** Holds a key for some seconds. */
  protected hold_key?(context: Context, input: ComputerInputs['hold_key']): Result<'hold_key'>
  /** Types a text: the member `type`. */
  protected type_?(context: Context, input: ComputerInputs['type']): Result<'type'>
  /** Returns the place of the pointer. */
  protected cursor_position?(context: Context, input: ComputerInputs['cursor_position']): Result<'cursor_position'>
  /** Moves the pointer. */
  protected mouse_move?(context: Context, input: ComputerInputs['mouse_move']): Result<'mouse_move'>
  /** Presses the left button. */
  protected left_mouse_down?(context: Context, input: ComputerInputs['left_mouse_down']): Result<'left_mouse_down'>
  /** Releases the left button. */
  protected left_mouse_up?(context: Context, input: ComputerInputs['left_mouse_up']): Result<'left_mouse_up'>
  /** Clicks at a point, by default that of the pointer. */
  protected left_click?(context: Context, input: ComputerInputs['left_click']): Result<'left_click'>
  /** Drags from one point to another. */
  protected left_click_drag?(context: Context, input: ComputerInputs['left_click_drag']): Result<'left_click_drag'>
  /** Clicks with the right button. */
  protected right_click?(context: Context, input: ComputerInputs['right_click']): Result<'right_click'>
  /** Clicks with the middle button. */
  protected middle_click?(context: Context, input: ComputerInputs['middle_click']): Result<'middle_click'>
  /** Clicks twice. */
  protected double_click?(context: Context, input: ComputerInputs['double_click']): Result<'double_click'>
  /** Clicks three times. */
  protected triple_click?(context: Context, input: ComputerInputs['triple_click']): Result<'triple_click'>
  /** Scrolls. */
  protected scroll?(context: Context, input: ComputerInputs['scroll']): Result<'scroll'>
  /** Waits some seconds. */
  protected wait?(context: Context, input: ComputerInputs['wait']): Result<'wait'>
  /** Takes a picture of the screen. */
  protected screenshot?(context: Context, input: ComputerInputs['screenshot']): Result<'screenshot'>
  /** Takes a picture of a region. */
  protected zoom?(context: Context, input: ComputerInputs['zoom']): Result<'zoom'>
}

const computerSteps: CallSteps = {
  async resultOf(outcome: Outcome): Promise<ToolResultContent[]> {
    if ('error' in outcome) throw new ToolError(textsOfError(outcome.error))
    return contentOf(outcome.call.member, outcome.call.input, outcome.value)
  },
}

const computerTable: MemberTable<ComputerMemberName> = {
  type: 'computer_toolset_20260801',
  name: 'computer',
  members: {
    key: { kind: 'action', done: 'Pressed {text}.', asks: true },
    hold_key: { kind: 'action', done: 'Held {text} for {duration}s.', asks: true },
    type: { kind: 'action', done: 'Typed.', asks: true },
    cursor_position: { kind: 'point' },
    mouse_move: { kind: 'action', done: 'Moved the mouse.' },
    left_mouse_down: { kind: 'action', done: 'Left mouse button pressed.' },
    left_mouse_up: { kind: 'action', done: 'Left mouse button released.' },
    left_click: { kind: 'action', done: 'Clicked.' },
    left_click_drag: { kind: 'action', done: 'Dragged.' },
    right_click: { kind: 'action', done: 'Right-clicked.' },
    middle_click: { kind: 'action', done: 'Middle-clicked.' },
    double_click: { kind: 'action', done: 'Double-clicked.' },
    triple_click: { kind: 'action', done: 'Triple-clicked.' },
    scroll: { kind: 'action', done: 'Scrolled {scroll_direction}.' },
    wait: { kind: 'action', done: 'Waited {duration}s.' },
    screenshot: { kind: 'image' },
    zoom: { kind: 'image' },
  },
}
