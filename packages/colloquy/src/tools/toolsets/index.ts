export { BrowserToolset, BrowserToolset as BetaAbstractBrowserToolset20260801 } from './browser/browser-toolset.ts'
export {
  type ComputerConfirm,
  type ComputerConfirm as BetaComputerConfirmCallable,
  type ComputerConfirmContext,
  type ComputerConfirmContext as BetaComputerConfirmContext,
  type ComputerCursorPositionResult,
  type ComputerCursorPositionResult as BetaComputerCursorPositionResult,
  type ComputerMemberResult,
  type ComputerMemberResult as BetaComputerMemberResult,
  ComputerToolset,
  ComputerToolset as BetaAbstractComputerToolset20260801,
  type ComputerToolsetOptions,
  type ComputerToolsetOptions as BetaComputerToolsetOptions,
} from './computer-toolset.ts'
export {
  type BrowserMemberResult,
  type BrowserMemberResult as BetaBrowserMemberResult,
  type BrowserNavigateResult,
  type BrowserNavigateResult as BetaBrowserNavigateResult,
} from './browser/members.ts'
export type {
  BrowserConfirm,
  BrowserConfirm as BetaConfirmCallable,
  BrowserConfirmContext,
  BrowserConfirmContext as BetaConfirmContext,
  BrowserState,
  BrowserState as BetaBrowserState,
  BrowserStateReader,
  BrowserStateReader as BetaBrowserStateCallable,
  BrowserToolsetOptions,
  BrowserToolsetOptions as BetaBrowserToolsetOptions,
  DialogDismissed,
  DialogDismissed as BetaDialogDismissed,
  FilePolicy,
  FilePolicy as BetaFilePolicy,
  NavigationRefused,
  NavigationRefused as BetaNavigationRefused,
  URLContext,
  URLContext as BetaURLContext,
  URLPolicy,
  URLPolicy as BetaURLPolicy,
} from './browser/options.ts'
export type {
  ScreenshotResult,
  ScreenshotResult as BetaScreenshotResult,
  ToolConfigs,
  ToolConfigs as BetaToolConfigs,
  ToolsetCallContext,
  ToolsetCallContext as BetaToolsetCallContext,
} from './member.ts'
export {
  ConfirmDeclinedError,
  ConfirmFailedError,
  DisabledMemberError,
  InvalidMemberInputError,
  ToolsetClosedError,
  ToolsetConfigError,
  ToolsetContractError,
  ToolsetUsageError,
  URLRefusedError,
  UnavailableMemberError,
  UnknownMemberError,
  UploadRefusedError,
} from './errors.ts'
export { ToolError } from '../tool-error.ts'
export type { ToolResultContent } from '../../protocol/types/params.ts'
export type {
  RunnableToolset,
  RunnableToolset as BetaRunnableToolset,
  ToolContext as BetaToolRunContext,
} from '../runnable.ts'
