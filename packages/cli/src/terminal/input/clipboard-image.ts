import { execFile } from 'node:child_process'

/** The largest image that is read. Bytes. */
const maxImage = 50_000_000
/** The longest wait for the clipboard's program. Milliseconds. */
const maxWaitMs = 10_000

/** The bytes of a PNG, or why there are none. */
export type ClipboardImage = { bytes: Uint8Array } | { failure: string }

/** A program that writes the clipboard's image to standard output. */
interface Reader {
  program: string
  args: string[]
  /** Reads the bytes from the output. Default: the output is the image. */
  decode?: (output: Buffer) => Buffer
}

/** Reads an image from the system's clipboard, which terminals do not paste. */
export async function imageFromClipboard(): Promise<ClipboardImage> {
  const found = clipboardReader()
  if (found === undefined) return { failure: 'Cannot read the clipboard: this terminal is not in a graphical session' }
  const { program, args, decode = (output: Buffer) => output } = found
  const { promise, resolve } = Promise.withResolvers<ClipboardImage>()
  const options = { encoding: 'buffer', maxBuffer: maxImage, timeout: maxWaitMs } as const
  execFile(program, args, options, (error, output) => {
    if (error?.code === 'ENOENT') return resolve({ failure: `Cannot read the clipboard: ${program} is not installed` })
    const bytes = decode(output)
    resolve(bytes.length > 0 ? { bytes } : { failure: 'The clipboard has no image. @file attaches a file.' })
  })
  return promise
}

function clipboardReader(): Reader | undefined {
  if (process.platform === 'darwin') {
    const script = 'the clipboard as «class PNGf»'
    return { program: 'osascript', args: ['-e', script], decode: (output) => fromHex(output.toString('latin1')) }
  }
  if (process.platform === 'win32' || process.env['WSL_DISTRO_NAME']) {
    const args = ['-NoProfile', '-STA', '-Command', powershellScript]
    return { program: 'powershell.exe', args, decode: (output) => Buffer.from(output.toString('latin1'), 'base64') }
  }
  if (process.env['WAYLAND_DISPLAY']) return { program: 'wl-paste', args: ['--type', 'image/png'] }
  if (!process.env['DISPLAY']) return undefined
  return { program: 'xclip', args: ['-selection', 'clipboard', '-t', 'image/png', '-o'] }
}

/** Reads `«data PNGf8950…»`. */
function fromHex(text: string): Buffer {
  return Buffer.from(/PNGf([0-9A-F]+)/.exec(text)?.[1] ?? '', 'hex')
}

const powershellScript = [
  'Add-Type -AssemblyName System.Windows.Forms, System.Drawing',
  '$image = [Windows.Forms.Clipboard]::GetImage()',
  'if ($image) { $stream = New-Object IO.MemoryStream',
  '$image.Save($stream, [Drawing.Imaging.ImageFormat]::Png)',
  '[Convert]::ToBase64String($stream.ToArray()) }',
].join('; ')
