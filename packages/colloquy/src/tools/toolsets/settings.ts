import { DisabledMemberError, ToolsetConfigError, UnavailableMemberError, UnknownMemberError } from './errors.ts'
import type { Member, MemberTable, ToolConfigs, ToolsetOptions } from './member.ts'

type Configs = Record<string, Record<string, unknown> | null>

/** The options of a toolset after they were checked, with the members that its class implements. */
export class ToolsetSettings {
  readonly table: MemberTable
  /** The member settings that are sent: those of the options, and each member that is not implemented as disabled. */
  readonly configs: Readonly<Configs> | undefined
  readonly toolConfigs: Readonly<ToolConfigs> | undefined
  readonly confirm: ((context: never) => unknown) | undefined
  readonly #given: object
  readonly #implemented: ReadonlySet<string>

  constructor(
    table: MemberTable,
    implemented: ReadonlySet<string>,
    { configs = {}, confirm, toolConfigs }: ToolsetOptions<object, (context: never) => unknown>,
  ) {
    this.table = table
    this.#given = configs
    this.#implemented = implemented
    this.configs = frozen(this.#sentConfigs(configs))
    this.toolConfigs = toolConfigs && frozen(copyOf(toolConfigs))
    this.confirm = confirm
    if (this.toolConfigs && 'configs' in this.toolConfigs)
      throw new ToolsetConfigError('Cannot set configs in toolConfigs: configs is an option of its own')
    const asking = Object.keys(table.members).filter((name) => table.members[name]!.asks && this.#isEnabled(name))
    if (asking.length > 0 && !confirm)
      throw new ToolsetConfigError(`Cannot enable ${asking.toSorted().join(', ')} without the option confirm`)
  }

  /** The member with this name. Throws the error that the model reads if there is none, or if it is disabled. */
  memberOf(name: string): Member {
    const { members, name: toolset } = this.table
    if (!Object.hasOwn(members, name)) throw new UnknownMemberError(name, toolset)
    if (this.#isEnabled(name)) return members[name]!
    const isDisabled = this.#implemented.has(name) || Object.hasOwn(this.#given, name)
    throw isDisabled ? new DisabledMemberError(name) : new UnavailableMemberError(name, toolset)
  }

  /** Whether the API offers the member. A value that is not a boolean disables it. */
  #isEnabled(name: string): boolean {
    const config: unknown = Object.hasOwn(this.configs ?? {}, name) ? this.configs![name] : undefined
    if (config === undefined || config === null) return !this.table.members[name]!.isOff
    if (typeof config !== 'object') return false
    const { enabled } = config as { enabled?: unknown }
    return enabled === undefined || enabled === null ? !this.table.members[name]!.isOff : enabled === true
  }

  #sentConfigs(given: object): Configs | undefined {
    // A copy through JSON, so that the members that are checked are those that the API gets.
    const configs = copyOf(given) as Configs
    const missing = Object.keys(this.table.members).filter((name) => !this.#implemented.has(name))
    const wanted = missing.filter((name) => configs[name]?.['enabled'] === true)
    if (wanted.length > 0)
      throw new ToolsetConfigError(`Cannot enable ${wanted.toSorted().join(', ')}: the toolset does not implement it`)
    for (const name of missing) configs[name] = { ...configs[name], enabled: false }
    return Object.keys(configs).length > 0 ? configs : undefined
  }
}

function copyOf<Value>(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value
}

function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
