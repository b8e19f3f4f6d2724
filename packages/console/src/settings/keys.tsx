import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { dateTimeText, moneyText } from '../format.ts'
import { copyText } from '../shell/copy.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { notify } from '../shell/status.tsx'
import { type KeyJson, type NewKey, createKey, loadKeys, revokeKey } from './key-data.ts'

/** The keys of programs that use the server, with their budgets. */
export function Keys(): VNode {
  const { value, placeholder, reload } = useLoaded(loadKeys, [])
  const secret = useSignal<{ name: string; text: string } | undefined>(undefined)
  const failure = useSignal<string | undefined>(undefined)
  const attempt = (work: Promise<unknown>): void => {
    failure.value = undefined
    work.then(reload).catch((error: Error) => (failure.value = error.message))
  }
  const create = async (key: NewKey): Promise<void> => {
    const { name, secret: text } = await createKey(key)
    secret.value = { name, text }
  }
  const revoke = async ({ id, name }: KeyJson): Promise<void> => {
    await revokeKey(id)
    notify(`Revoked ${name}`)
  }
  return (
    <section class="group" aria-labelledby="keys">
      <h2 id="keys">Keys of programs</h2>
      <p class="soft small">As long as there is no key, every program on this machine may use the server.</p>
      {!value && placeholder}
      {!!value?.length && <KeyTable keys={value} onRevoke={(key) => attempt(revoke(key))} />}
      {secret.value && (
        <div class="row" role="status">
          <span>
            The key {secret.value.name}, shown only now: <code>{secret.value.text}</code>
          </span>
          <button type="button" onClick={() => void copyText(secret.value?.text ?? '', 'Key copied')}>
            Copy
          </button>
        </div>
      )}
      {failure.value && (
        <p class="failure" role="alert">
          {failure.value}
        </p>
      )}
      <NewKeyForm onCreate={(key) => attempt(create(key))} />
    </section>
  )
}

function NewKeyForm({ onCreate }: { onCreate: (key: NewKey) => void }): VNode {
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        const form = new FormData(event.currentTarget)
        const usd = String(form.get('budget') ?? '').trim()
        onCreate({ name: String(form.get('name')).trim(), ...(usd !== '' && { budgets: [{ usd, per: 'day' }] }) })
        event.currentTarget.reset()
      }}
    >
      <label>
        <span>Name of a new key</span>
        <input name="name" required maxLength={100} autocomplete="off" />
      </label>
      <label>
        <span>Dollars a day (empty: no limit)</span>
        <input name="budget" inputMode="decimal" pattern="\d{1,7}(\.\d{1,6})?" autocomplete="off" />
      </label>
      <button type="submit">Create</button>
    </form>
  )
}

function KeyTable({ keys, onRevoke }: { keys: readonly KeyJson[]; onRevoke: (key: KeyJson) => void }): VNode {
  const headings = ['Name', 'Key', 'Last used', 'Spent', 'Expires', '']
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Keys of programs">
      <table class="cards">
        <thead>
          <tr>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading || <span class="visually-hidden">Actions</span>}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <th scope="row" data-label="Name">
                {key.name}
              </th>
              <td data-label="Key">
                <code>{key.hint}</code>
              </td>
              <td data-label="Last used">{key.last_used_at ? dateTimeText(key.last_used_at) : 'never'}</td>
              <td data-label="Spent">{spentText(key)}</td>
              <td data-label="Expires">{stateText(key)}</td>
              <td>
                {!key.revoked_at && (
                  <button type="button" class="danger" aria-label={`Revoke ${key.name}`} onClick={() => onRevoke(key)}>
                    Revoke
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function spentText({ budgets }: KeyJson): string {
  if (budgets.length === 0) return 'no limit'
  return budgets.map(({ usd, per, spent_usd: spent }) => `${moneyText(spent)} of ${moneyText(usd)} a ${per}`).join(', ')
}

function stateText({ revoked_at: revoked, expires_at: expires }: KeyJson): string {
  if (revoked) return 'revoked'
  return expires ? dateTimeText(expires) : 'never'
}
