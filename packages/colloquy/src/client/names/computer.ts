// The official names of the members of the computer toolset: inputs, settings and calls.
import type {
  ComputerCall,
  ComputerInput,
  ComputerToolUseBlock,
  ScrollDirection,
  ToolsetMemberConfig,
} from '../../protocol/types/tools/toolset.ts'

export type ComputerKeyInput = ComputerInput<'key'>
export type ComputerHoldKeyInput = ComputerInput<'hold_key'>
export type ComputerTypeInput = ComputerInput<'type'>
export type ComputerCursorPositionInput = ComputerInput<'cursor_position'>
export type ComputerMouseMoveInput = ComputerInput<'mouse_move'>
export type ComputerLeftMouseDownInput = ComputerInput<'left_mouse_down'>
export type ComputerLeftMouseUpInput = ComputerInput<'left_mouse_up'>
export type ComputerLeftClickInput = ComputerInput<'left_click'>
export type ComputerLeftClickDragInput = ComputerInput<'left_click_drag'>
export type ComputerRightClickInput = ComputerInput<'right_click'>
export type ComputerMiddleClickInput = ComputerInput<'middle_click'>
export type ComputerDoubleClickInput = ComputerInput<'double_click'>
export type ComputerTripleClickInput = ComputerInput<'triple_click'>
export type ComputerScrollInput = ComputerInput<'scroll'>
export type ComputerWaitInput = ComputerInput<'wait'>
export type ComputerScreenshotInput = ComputerInput<'screenshot'>
export type ComputerZoomInput = ComputerInput<'zoom'>

export type ComputerKeyConfig = ToolsetMemberConfig
export type ComputerHoldKeyConfig = ToolsetMemberConfig
export type ComputerTypeConfig = ToolsetMemberConfig
export type ComputerCursorPositionConfig = ToolsetMemberConfig
export type ComputerMouseMoveConfig = ToolsetMemberConfig
export type ComputerLeftMouseDownConfig = ToolsetMemberConfig
export type ComputerLeftMouseUpConfig = ToolsetMemberConfig
export type ComputerLeftClickConfig = ToolsetMemberConfig
export type ComputerLeftClickDragConfig = ToolsetMemberConfig
export type ComputerRightClickConfig = ToolsetMemberConfig
export type ComputerMiddleClickConfig = ToolsetMemberConfig
export type ComputerDoubleClickConfig = ToolsetMemberConfig
export type ComputerTripleClickConfig = ToolsetMemberConfig
export type ComputerScrollConfig = ToolsetMemberConfig
export type ComputerWaitConfig = ToolsetMemberConfig
export type ComputerScreenshotConfig = ToolsetMemberConfig
export type ComputerZoomConfig = ToolsetMemberConfig

export type ComputerKeyToolUseBlock = ComputerCall<'key'>
export type ComputerHoldKeyToolUseBlock = ComputerCall<'hold_key'>
export type ComputerTypeToolUseBlock = ComputerCall<'type'>
export type ComputerCursorPositionToolUseBlock = ComputerCall<'cursor_position'>
export type ComputerMouseMoveToolUseBlock = ComputerCall<'mouse_move'>
export type ComputerLeftMouseDownToolUseBlock = ComputerCall<'left_mouse_down'>
export type ComputerLeftMouseUpToolUseBlock = ComputerCall<'left_mouse_up'>
export type ComputerLeftClickToolUseBlock = ComputerCall<'left_click'>
export type ComputerLeftClickDragToolUseBlock = ComputerCall<'left_click_drag'>
export type ComputerRightClickToolUseBlock = ComputerCall<'right_click'>
export type ComputerMiddleClickToolUseBlock = ComputerCall<'middle_click'>
export type ComputerDoubleClickToolUseBlock = ComputerCall<'double_click'>
export type ComputerTripleClickToolUseBlock = ComputerCall<'triple_click'>
export type ComputerScrollToolUseBlock = ComputerCall<'scroll'>
export type ComputerWaitToolUseBlock = ComputerCall<'wait'>
export type ComputerScreenshotToolUseBlock = ComputerCall<'screenshot'>
export type ComputerZoomToolUseBlock = ComputerCall<'zoom'>

export type ResponseComputerToolUseBlock = ComputerToolUseBlock
export type ResponseComputerKeyToolUseBlock = ComputerKeyToolUseBlock
export type ResponseComputerHoldKeyToolUseBlock = ComputerHoldKeyToolUseBlock
export type ResponseComputerTypeToolUseBlock = ComputerTypeToolUseBlock
export type ResponseComputerCursorPositionToolUseBlock = ComputerCursorPositionToolUseBlock
export type ResponseComputerMouseMoveToolUseBlock = ComputerMouseMoveToolUseBlock
export type ResponseComputerLeftMouseDownToolUseBlock = ComputerLeftMouseDownToolUseBlock
export type ResponseComputerLeftMouseUpToolUseBlock = ComputerLeftMouseUpToolUseBlock
export type ResponseComputerLeftClickToolUseBlock = ComputerLeftClickToolUseBlock
export type ResponseComputerLeftClickDragToolUseBlock = ComputerLeftClickDragToolUseBlock
export type ResponseComputerRightClickToolUseBlock = ComputerRightClickToolUseBlock
export type ResponseComputerMiddleClickToolUseBlock = ComputerMiddleClickToolUseBlock
export type ResponseComputerDoubleClickToolUseBlock = ComputerDoubleClickToolUseBlock
export type ResponseComputerTripleClickToolUseBlock = ComputerTripleClickToolUseBlock
export type ResponseComputerScrollToolUseBlock = ComputerScrollToolUseBlock
export type ResponseComputerWaitToolUseBlock = ComputerWaitToolUseBlock
export type ResponseComputerScreenshotToolUseBlock = ComputerScreenshotToolUseBlock
export type ResponseComputerZoomToolUseBlock = ComputerZoomToolUseBlock

export type ComputerScrollDirection = ScrollDirection
