import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Template } from '@huggingface/jinja'
import { ChatTemplate } from './chat-template.ts'

test('a chat template that does not end is an error, and the next prompt is written', () => {
  const rows = 'range(100000)'
  const source = `{% if loops %}{% for a in ${rows} %}{% for b in ${rows} %}{% endfor %}{% endfor %}{% endif %}Hello {{ name }}`
  const template = new Template(source)
  const hasty = new ChatTemplate(template, 20)
  assert.throws(() => hasty.render({ loops: true }), { status: 400, message: /takes longer than 20 ms for them/ })
  // Patient, as a busy machine may take longer than 20 ms for anything.
  assert.equal(new ChatTemplate(template, 600_000).render({ loops: false, name: 'Ada' }), 'Hello Ada')
})

test('what a chat template throws stays as it is', () => {
  const own = new Error('Roles must alternate')
  const template = new ChatTemplate({
    render: () => {
      throw own
    },
  })
  assert.throws(
    () => template.render({}),
    (error) => error === own,
  )
})

test('a chat template has its time although the process was stopped meanwhile', () => {
  let times = 0
  const render = (): string => {
    // Waits without working, as a process that is stopped.
    if (times++ === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
    return 'Hello Ada'
  }
  assert.equal(new ChatTemplate({ render }, 200).render({}), 'Hello Ada')
})
