import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FormField, readForm } from './form.ts'

const type = 'text/plain'

function bodyOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function fieldsOf(body: Uint8Array, boundary: string): FormField[] {
  const steps = readForm(body, boundary)
  for (let step = steps.next(); ; step = steps.next()) if (step.done) return step.value
}

function textsOf(fields: readonly FormField[]): (string | undefined)[][] {
  return fields.map(({ name, fileName, bytes }) => [name, fileName, new TextDecoder().decode(bytes)])
}

test('readForm() reads what FormData writes', async () => {
  const name = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '"', '\\', ';', '=', '\r\n', '猫', ':') })
  const content = fc.array(fc.constantFrom(...'\r\n-Bx\0'), { maxLength: 40 }).map((all) => bodyOf(all.join('')))
  // A backslash before a quotation mark is how curl writes the mark.
  const isPlain = (text: string): boolean => !/\\"|\\$/.test(text)
  const field = fc.record({
    name: name.filter(isPlain),
    fileName: fc.option(name.filter((text) => text !== '' && isPlain(text))),
    content,
  })
  const holds = async (
    given: readonly { name: string; fileName: string | null; content: Uint8Array }[],
  ): Promise<void> => {
    const form = new FormData()
    for (const { name: key, fileName, content: bytes } of given) {
      if (fileName === null) form.append(key, 'text')
      else form.append(key, new File([bytes as Uint8Array<ArrayBuffer>], fileName, { type }))
    }
    const response = new Response(form)
    const boundary = /boundary=(.*)$/.exec(response.headers.get('content-type')!)![1]!
    const read = fieldsOf(new Uint8Array(await response.arrayBuffer()), boundary)
    const expected = given.map(({ name: key, fileName, content: bytes }) => {
      const isText = fileName === null
      return {
        name: key,
        fileName: isText ? undefined : fileName,
        mediaType: isText ? '' : type,
        bytes: isText ? bodyOf('text') : bytes,
      }
    })
    assert.deepEqual(
      read.map((each) => ({ ...each, bytes: Uint8Array.from(each.bytes) })),
      expected,
    )
  }
  await fc.assert(fc.asyncProperty(fc.array(field, { maxLength: 4 }), holds))
})

test('readForm() reads forms of other clients', () => {
  const head = 'content-disposition: form-data; name="file"; filename'
  for (const [what, part, fileName] of [
    ['a short boundary, and names of headers in lower case', `${head}="a.txt"`, 'a.txt'],
    ['a name in UTF-8', `${head}="ä.txt"`, 'ä.txt'],
    ['a name in percent encoding', `${head}*=utf-8''%C3%A4.txt`, 'ä.txt'],
    ['a name without quotation marks', `${head}=a.txt`, 'a.txt'],
    ['a name with a quotation mark as curl writes it', `${head}="a\\".txt"`, 'a".txt'],
    ['a path of Windows', `${head}="C:\\dir\\a.txt"`, 'C:\\dir\\a.txt'],
  ] as const)
    assert.deepEqual(
      textsOf(fieldsOf(bodyOf(`--B\r\n${part}\r\n\r\nhi\r\n--B--`), 'B')),
      [['file', fileName, 'hi']],
      what,
    )
  const around = `preamble\r\n--B  \r\n${head}="a"\r\n\r\n\r\n--B--\r\nepilogue`
  assert.deepEqual(textsOf(fieldsOf(bodyOf(around), 'B')), [['file', 'a', '']])
  assert.deepEqual(fieldsOf(bodyOf('--B--'), 'B'), [])
})

test('readForm() refuses other bodies', () => {
  const part = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhi\r\n'
  const wrong = [
    '',
    'hi',
    part,
    `${part}--B`,
    `${part}--C--`,
    `--Bx${part.slice(3)}--B--`,
    part.replace('\r\n\r\n', '\r\n'),
  ]
  const unnamed = '--B\r\n\r\nhi\r\n--B--'
  for (const body of [
    ...wrong,
    unnamed,
    `${part.repeat(1_001)}--B--`,
    part.replace('form-data', 'attachment') + '--B--',
  ])
    assert.throws(() => fieldsOf(bodyOf(body), 'B'), { name: 'FormError', isOfName: false }, body.slice(0, 80))
  for (const name of ['"a"b"', "a; filename*=utf-8''%ff", '"a'])
    assert.throws(() => fieldsOf(bodyOf(`${part.replace('"a"', name)}--B--`), 'B'), { name: 'FormError' }, name)
})
