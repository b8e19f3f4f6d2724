import type { VNode } from 'preact'
import { byteText, visibleText } from '../../format.ts'
import { Icon } from '../../shell/parts/icon.tsx'
import { pictureAddress } from '../message/content.tsx'
import type { AnyBlock } from '../message/content-text.ts'
import { type Attachment, setFiles, unsentFiles } from './attachments.ts'

/** The files that go with the next message of a chat. */
export function UnsentFiles({ id }: { id: string }): VNode | undefined {
  const files = unsentFiles.value[id] ?? []
  if (files.length === 0) return undefined
  const remove = (file: Attachment): void => {
    setFiles(id, (all) => all.filter((one) => one !== file))
    // The button is gone.
    document.querySelector<HTMLElement>('#composer')?.focus()
  }
  return (
    <ul class="files" aria-label="Attachments">
      {files.map((file, index) => (
        <li key={`${index} ${file.name}`}>
          <Thumbnail block={file.block} />
          <span class="name" title={file.name}>
            {visibleText(file.name)}
          </span>
          <span class="soft">{byteText(file.bytes)}</span>
          <button type="button" class="quiet" aria-label={`Remove ${file.name}`} onClick={() => remove(file)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ul>
  )
}

function Thumbnail({ block }: { block: AnyBlock }): VNode | undefined {
  const address = block.type === 'image' ? pictureAddress(block.source as AnyBlock) : undefined
  return address === undefined ? undefined : <img src={address} alt="" />
}
