import type { Container } from '../protocol/types/message.ts'
import type { ContainerParams } from '../protocol/types/params.ts'

interface ContainerField {
  container?: ContainerParams | string | null
}

/** The parameters with the container of a reply, in which the tools of later requests run. A given container stays. */
export function withContainer<Fields extends ContainerField>(
  fields: Fields,
  { container }: { container?: Container | null },
): Fields {
  const given = fields.container
  if (!container || typeof given === 'string' || given?.id) return fields
  return { ...fields, container: given ? { ...given, id: container.id } : container.id }
}
