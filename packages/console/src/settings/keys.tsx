import { useSignal } from '@preact/signals'
import type { VNode } from 'preact'
import { dateTimeText, moneyText } from '../format.ts'
import { copyText } from '../shell/copy.ts'
import { useLoaded } from '../shell/parts/loaded.tsx'
import { notify } from '../shell/status.tsx'
import { type KeyJson, type NewBudget, type NewKey, changeBudgets, createKey, loadKeys, revokeKey } from './key-data.ts'

/** The keys of programs that use the server, with their budgets. */
export function Keys(): VNode {
  const { value, placeholder, reload } = useLoaded(loadKeys, [])
  const edited = useSignal<KeyJson | undefined>(undefined)
  const secret = useSignal<{ name: string; text: string } | undefined>(undefined)
  const failure = useSignal<string | undefined>(undefined)
  /** Resolves to whether the server took it. */
  const attempt = async (work: Promise<unknown>): Promise<boolean> => {
    failure.value = undefined
    try {
      await work
    } catch (error) {
      failure.value = (error as Error).message
      return false
    }
    reload()
    return true
  }
  const create = async (key: NewKey): Promise<void> => {
    const { name, secret: text } = await createKey(key)
    secret.value = { name, text }
  }
  const save = async (budgets: NewBudget[]): Promise<void> => {
    if (edited.value)
      await changeBudgets(edited.value.id, [...budgets, ...edited.value.budgets.slice(1).map(settingsOf)])
    edited.value = undefined
  }
  const revoke = async ({ id, name }: KeyJson): Promise<void> => {
    if (!confirm(`Revoke ${name}? Programs that use it are refused from now on. This cannot be undone.`)) return
    await revokeKey(id)
    notify(`Revoked ${name}`)
  }
  return (
    <section class="group" aria-labelledby="keys">
      <h2 id="keys">Keys of programs</h2>
      {value?.length === 0 && (
        <p class="soft small">As long as there is no key, every program on this machine may use the server.</p>
      )}
      {!value && placeholder}
      {!!value?.length && (
        <KeyTable keys={value} onBudget={(key) => (edited.value = key)} onRevoke={(key) => void attempt(revoke(key))} />
      )}
      {edited.value && (
        <BudgetForm
          key={edited.value.id}
          keyJson={edited.value}
          onSave={(budgets) => void attempt(save(budgets))}
          onClose={() => (edited.value = undefined)}
        />
      )}
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

/** @param props.onCreate resolves to whether the key was created. Otherwise the fields keep what was typed. */
function NewKeyForm({ onCreate }: { onCreate: (key: NewKey) => Promise<boolean> }): VNode {
  return (
    <form
      class="filters"
      onSubmit={(event) => {
        event.preventDefault()
        const { currentTarget: fields } = event
        const form = new FormData(fields)
        const budgets = budgetsOf(form)
        const key = { name: String(form.get('name')).trim(), ...(budgets.length > 0 && { budgets }) }
        void onCreate(key).then((isCreated) => isCreated && fields.reset())
      }}
    >
      <label>
        <span>Name of a new key</span>
        <input name="name" required maxLength={100} autocomplete="off" />
      </label>
      <BudgetFields />
      <button type="submit">Create</button>
    </form>
  )
}

function BudgetFields({ budget }: { budget?: KeyJson['budgets'][number] | undefined }): VNode {
  return (
    <>
      <label>
        <span>Budget in dollars (empty: none)</span>
        <input
          name="budget"
          ref={budget === undefined ? null : focus}
          inputMode="decimal"
          pattern="\d{1,7}(\.\d{1,6})?"
          autocomplete="off"
          defaultValue={budget?.usd ?? ''}
        />
      </label>
      <label>
        <span>Budget for</span>
        <select name="per" defaultValue={budget?.per ?? 'day'}>
          <option value="day">each day</option>
          <option value="month">each month</option>
          <option value="total">all time</option>
        </select>
      </label>
    </>
  )
}

function focus(element: HTMLElement | null): void {
  element?.focus()
}

function budgetsOf(form: FormData): NewBudget[] {
  const usd = String(form.get('budget') ?? '').trim()
  return usd === '' ? [] : [{ usd, per: String(form.get('per') ?? 'day') as NewBudget['per'] }]
}

/** A budget without what was spent of it. */
function settingsOf({ usd, per, each }: KeyJson['budgets'][number]): NewBudget {
  return { usd, per, ...(each && { each }) }
}

const noBudget = { usd: '', per: 'day', spent_usd: '0' } as const

interface BudgetFormProps {
  keyJson: KeyJson
  onSave: (budgets: NewBudget[]) => void
  onClose: () => void
}

function BudgetForm({ keyJson: { name, budgets }, onSave, onClose }: BudgetFormProps): VNode {
  return (
    <form
      class="filters"
      aria-label={`Budget of ${name}`}
      onSubmit={(event) => {
        event.preventDefault()
        onSave(budgetsOf(new FormData(event.currentTarget)))
      }}
    >
      <strong>{name}</strong>
      <BudgetFields budget={budgets[0] ?? noBudget} />
      <button type="submit" class="primary">
        Save
      </button>
      <button type="button" class="quiet" onClick={onClose}>
        Cancel
      </button>
    </form>
  )
}

interface KeyTableProps {
  keys: readonly KeyJson[]
  onBudget: (key: KeyJson) => void
  onRevoke: (key: KeyJson) => void
}

function KeyTable({ keys, onBudget, onRevoke }: KeyTableProps): VNode {
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
              <td data-label="Spent">
                <Spent budgets={key.budgets} />
              </td>
              <td data-label="Expires">{stateText(key)}</td>
              <td>
                {!key.revoked_at && (
                  <button
                    type="button"
                    class="quiet"
                    aria-label={`Budget of ${key.name}`}
                    onClick={() => onBudget(key)}
                  >
                    Budget
                  </button>
                )}
                {!key.revoked_at && (
                  <button
                    type="button"
                    class="quiet danger"
                    aria-label={`Revoke ${key.name}`}
                    onClick={() => onRevoke(key)}
                  >
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

export function Spent({ budgets }: Pick<KeyJson, 'budgets'>): VNode {
  if (budgets.length === 0) return <span class="soft">no limit</span>
  return (
    <>
      {budgets.map(({ usd, per, spent_usd: spent }) => {
        const text = `${moneyText(spent)} of ${moneyText(usd)} ${per === 'total' ? 'in all' : `a ${per}`}`
        return (
          <div key={per} class="row">
            <meter aria-label={text} min={0} max={Number(usd)} high={Number(usd) * 0.8} value={Number(spent)} />
            <span>{text}</span>
          </div>
        )
      })}
    </>
  )
}

function stateText({ revoked_at: revoked, expires_at: expires }: KeyJson): string {
  if (revoked) return 'revoked'
  return expires ? dateTimeText(expires) : 'never'
}
