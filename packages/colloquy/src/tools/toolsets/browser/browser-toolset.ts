import { describeValue } from '../../../protocol/json/option-names.ts'
import type {
  BrowserInputs,
  BrowserMemberInput,
  BrowserMemberName,
  BrowserToolset20260801,
  BrowserToolsetConfigs,
} from '../../../protocol/types/tools/toolset.ts'
import type { ToolResultContent } from '../../../protocol/types/params.ts'
import type { Promisable } from '../../runnable.ts'
import { throwIfAborted } from '../call-queue.ts'
import { ToolsetConfigError, ToolsetContractError, ToolsetUsageError } from '../errors.ts'
import type { ToolsetCallContext } from '../member.ts'
import { type CallSteps, type MemberCall, type Outcome, Toolset } from '../toolset.ts'
import { BrowserReports, boundedState } from './browser-reports.ts'
import { checkUpload, checkUrl, tabIdOf } from './checks.ts'
import { type BrowserMemberResult, type BrowserResults, browserTable } from './members.ts'
import type { BrowserState, BrowserToolsetOptions } from './options.ts'

type Context = ToolsetCallContext
type Result<Name extends BrowserMemberName> = Promisable<BrowserResults[Name]>

interface Browser {
  type: 'browser_toolset_20260801'
  family: 'browser'
  name: BrowserMemberName
  input: BrowserMemberInput
  result: BrowserMemberResult
  configs: BrowserToolsetConfigs
  definition: BrowserToolset20260801
}

/**
 * A browser for the model. A subclass implements the members that its browser can do, as methods of their names; `type_` is
 * the member `type`. The model is offered these members only. Each gets the input of the call, and returns a value that the
 * model then reads or sees: an action returns nothing, or a line of text.
 *
 * @example
 * ```ts
 * import Anthropic from 'colloquy'
 * import { BrowserToolset } from 'colloquy/tools/toolsets'
 *
 * class OnePage extends BrowserToolset {
 *   protected override get_page_text() {
 *     return 'The page.'
 *   }
 * }
 * const tabs = [{ tab_id: 't1', title: 'Page', url: 'https://a.example/', active: true }]
 * const runner = new Anthropic().beta.messages.toolRunner({
 *   model: 'claude-sonnet-4-6',
 *   max_tokens: 1024,
 *   tools: [new OnePage({ browserState: () => ({ tabs }) })],
 *   messages: [{ role: 'user', content: 'What does the page say?' }],
 * })
 * console.log((await runner).role) // assistant
 * ```
 */
export abstract class BrowserToolset extends Toolset<Browser> {
  constructor(options: BrowserToolsetOptions) {
    super(browserTable, BrowserToolset, options, new BrowserSteps(options))
  }

  /** Opens a URL, or goes `back`, `forward` or `reload`. */
  protected navigate?(context: Context, input: BrowserInputs['navigate']): Result<'navigate'>
  /** Takes a picture of the page. */
  protected screenshot?(context: Context, input: BrowserInputs['screenshot']): Result<'screenshot'>
  /** Takes a picture of a region. */
  protected zoom?(context: Context, input: BrowserInputs['zoom']): Result<'zoom'>
  /** Clicks. */
  protected left_click?(context: Context, input: BrowserInputs['left_click']): Result<'left_click'>
  /** Clicks with the right button. */
  protected right_click?(context: Context, input: BrowserInputs['right_click']): Result<'right_click'>
  /** Clicks with the middle button. */
  protected middle_click?(context: Context, input: BrowserInputs['middle_click']): Result<'middle_click'>
  /** Clicks twice. */
  protected double_click?(context: Context, input: BrowserInputs['double_click']): Result<'double_click'>
  /** Clicks three times. */
  protected triple_click?(context: Context, input: BrowserInputs['triple_click']): Result<'triple_click'>
  /** Moves the pointer over an element. */
  protected hover?(context: Context, input: BrowserInputs['hover']): Result<'hover'>
  /** Drags from one point to another. */
  protected left_click_drag?(context: Context, input: BrowserInputs['left_click_drag']): Result<'left_click_drag'>
  /** Presses the left button. */
  protected left_mouse_down?(context: Context, input: BrowserInputs['left_mouse_down']): Result<'left_mouse_down'>
  /** Releases the left button. */
  protected left_mouse_up?(context: Context, input: BrowserInputs['left_mouse_up']): Result<'left_mouse_up'>
  /** Moves the pointer. */
  protected mouse_move?(context: Context, input: BrowserInputs['mouse_move']): Result<'mouse_move'>
  /** Scrolls. */
  protected scroll?(context: Context, input: BrowserInputs['scroll']): Result<'scroll'>
  /** Scrolls to an element. */
  protected scroll_to?(context: Context, input: BrowserInputs['scroll_to']): Result<'scroll_to'>
  /** Types a text: the member `type`. */
  protected type_?(context: Context, input: BrowserInputs['type']): Result<'type'>
  /** Presses a key, or several together. */
  protected key?(context: Context, input: BrowserInputs['key']): Result<'key'>
  /** Holds a key for some seconds. */
  protected hold_key?(context: Context, input: BrowserInputs['hold_key']): Result<'hold_key'>
  /** Sets the value of a form field. */
  protected form_input?(context: Context, input: BrowserInputs['form_input']): Result<'form_input'>
  /** Lists the elements of the page, with references to them. */
  protected read_page?(context: Context, input: BrowserInputs['read_page']): Result<'read_page'>
  /** Finds elements by a description. */
  protected find?(context: Context, input: BrowserInputs['find']): Result<'find'>
  /** Reads the text of the page. */
  protected get_page_text?(context: Context, input: BrowserInputs['get_page_text']): Result<'get_page_text'>
  /** Waits some seconds. */
  protected wait?(context: Context, input: BrowserInputs['wait']): Result<'wait'>
  /** Offered only if `configs` enable it, with a `confirm`: a page may lead the model to upload any file of the policy. */
  protected file_upload?(context: Context, input: BrowserInputs['file_upload']): Result<'file_upload'>
  /** Reads the messages of the console. Offered only if `configs` enable it. */
  protected read_console?(context: Context, input: BrowserInputs['read_console']): Result<'read_console'>
  /** Reads the requests of the page. Offered only if `configs` enable it. */
  protected read_network?(context: Context, input: BrowserInputs['read_network']): Result<'read_network'>
  /** Offered only if `configs` enable it, with a `confirm`: a script can do everything that the user of the page can. */
  protected javascript_exec?(context: Context, input: BrowserInputs['javascript_exec']): Result<'javascript_exec'>
  /** Opens a tab, which becomes the active one. */
  protected new_tab?(context: Context, input: BrowserInputs['new_tab']): Result<'new_tab'>
  /** Lists the tabs. */
  protected list_tabs?(context: Context, input: BrowserInputs['list_tabs']): Result<'list_tabs'>
  /** Makes a tab the active one. */
  protected switch_tab?(context: Context, input: BrowserInputs['switch_tab']): Result<'switch_tab'>
  /** Closes a tab. */
  protected close_tab?(context: Context, input: BrowserInputs['close_tab']): Result<'close_tab'>
}

/** The policies, and the state of the browser after each call. */
class BrowserSteps implements CallSteps {
  readonly #options: BrowserToolsetOptions
  readonly #reports: BrowserReports

  constructor(options: BrowserToolsetOptions) {
    if (typeof options?.browserState !== 'function')
      throw new ToolsetConfigError(`browserState must be a function: found ${describeValue(options?.browserState)}`)
    // A copy: later changes of the object must not change a policy.
    this.#options = { ...options }
    this.#reports = new BrowserReports(options.filePolicy)
  }

  async check(call: MemberCall): Promise<void> {
    if (call.name === 'navigate') await checkUrl(call, this.#options.urlPolicy)
    if (call.name === 'file_upload') await checkUpload(call, this.#options.filePolicy)
  }

  about(call: MemberCall): { tabId: string | undefined; tabURL: string | undefined } {
    const named = tabIdOf(call)
    const { tabs } = this.#reports
    const tab = tabs.find(({ tab_id, active }) => (named === undefined ? active === true : tab_id === named))
    return { tabId: tab?.tab_id ?? named, tabURL: tab?.url }
  }

  async resultOf(outcome: Outcome, context: ToolsetCallContext): Promise<ToolResultContent[]> {
    return this.#reports.resultOf(outcome, await this.#state(context))
  }

  async #state(context: ToolsetCallContext): Promise<BrowserState> {
    try {
      return boundedState(await this.#options.browserState(context))
    } catch (error) {
      if (error instanceof ToolsetUsageError) throw error
      throwIfAborted(context.signal)
      throw new ToolsetContractError(
        `browserState must return the tabs of the browser, and not throw: ${String(error)}`,
        {
          cause: error,
        },
      )
    }
  }
}
