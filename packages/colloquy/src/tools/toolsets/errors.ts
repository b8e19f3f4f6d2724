import { AnthropicError } from '../../protocol/types/error.ts'
import { ToolError } from '../tool-error.ts'
import { lineOf, quotable } from './text.ts'

/** A program uses a toolset wrongly. A tool loop does not tell the model, but throws it. */
export class ToolsetUsageError extends AnthropicError {
  override name = 'ToolsetUsageError'
}

/** The options of a toolset contradict each other. */
export class ToolsetConfigError extends ToolsetUsageError {
  override name = 'ToolsetConfigError'
}

/** A function that was given to a toolset breaks its contract, or a call was passed to the wrong toolset. */
export class ToolsetContractError extends ToolsetUsageError {
  override name = 'ToolsetContractError'
}

/** The toolset was closed before the call. */
export class ToolsetClosedError extends ToolsetUsageError {
  override name = 'ToolsetClosedError'
}

/** The model called a member that the toolset does not have. */
export class UnknownMemberError extends ToolError {
  override name = 'UnknownMemberError'

  constructor(name: string, toolset: string) {
    super(`Error: unknown ${toolset} toolset member '${quotable(name)}'`)
  }
}

/** The model called a member that `configs` disable. */
export class DisabledMemberError extends ToolError {
  override name = 'DisabledMemberError'

  constructor(name: string) {
    super(`The '${name}' action is not permitted by this application's permissions and cannot be used in this session.`)
  }
}

/** The model called a member that the program does not implement. */
export class UnavailableMemberError extends ToolError {
  override name = 'UnavailableMemberError'

  constructor(name: string, toolset: string) {
    super(`The ${toolset} toolset member '${name}' is not available in this environment.`)
  }
}

/** The input of a call does not fit the member. */
export class InvalidMemberInputError extends ToolError {
  override name = 'InvalidMemberInputError'

  constructor(name: string, toolset: string, problem: string) {
    super(`invalid input for ${toolset} member '${name}': ${problem}`)
  }
}

/** `urlPolicy` threw an error that is not a `ToolError`. */
export class URLRefusedError extends ToolError {
  override name = 'URLRefusedError'

  constructor(reason: string) {
    super(lineOf(reason, 200))
  }
}

/** `confirm` returned something other than true. */
export class ConfirmDeclinedError extends ToolError {
  override name = 'ConfirmDeclinedError'

  constructor(name: string) {
    super(`The user did not grant permission to run '${name}'. Do not retry it unless the user asks you to.`)
  }
}

/** `confirm` failed. */
export class ConfirmFailedError extends ToolError {
  override name = 'ConfirmFailedError'

  constructor(name: string) {
    super(
      `Permission to run '${name}' could not be obtained (the confirmation prompt failed). Do not retry it unless the user asks you to.`,
    )
  }
}

/** The file policy does not allow an upload, or there is no policy. */
export class UploadRefusedError extends ToolError {
  override name = 'UploadRefusedError'
}

/** The text of the refusal if no folder may be uploaded from. */
export const noUploadRoots = 'file_upload has no configured upload roots'
