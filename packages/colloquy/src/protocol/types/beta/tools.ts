// Beta: versions of tools that only the beta API takes, and inputs of the memory tool.
import type { ToolOptions } from '../tools/options.ts'

interface ExampleOptions extends ToolOptions {
  input_examples?: Array<{ [key: string]: unknown }>
}

interface ComputerUseOptions extends ExampleOptions {
  name: 'computer'
  display_width_px: number
  display_height_px: number
  /** The X11 display. */
  display_number?: number | null
}

/** The screen, mouse and keyboard of a computer, which the program controls. */
export interface ToolComputerUse20241022 extends ComputerUseOptions {
  type: 'computer_20241022'
}

/** The screen, mouse and keyboard of a computer, which the program controls. */
export interface ToolComputerUse20250124 extends ComputerUseOptions {
  type: 'computer_20250124'
}

/** The screen, mouse and keyboard of a computer, which the program controls. */
export interface ToolComputerUse20251124 extends ComputerUseOptions {
  type: 'computer_20251124'
  enable_zoom?: boolean
}

/** A shell, which the program runs. */
export interface ToolBash20241022 extends ExampleOptions {
  type: 'bash_20241022'
  name: 'bash'
}

/** A text editor, which the program runs. */
export interface ToolTextEditor20241022 extends ExampleOptions {
  type: 'text_editor_20241022'
  name: 'str_replace_editor'
}
