import assert from 'node:assert/strict'
import test from 'node:test'
import { nearMiss } from './near-miss.ts'

const known = ['inputSchema', 'description', 'run', 'max_tokens']

test('nearMiss() finds the name that was meant', () => {
  for (const [name, meant] of [
    ['inputschema', 'inputSchema'],
    ['input-schema', 'inputSchema'],
    ['inputSchma', 'inputSchema'],
    ['maxTokens', 'max_tokens'],
    ['desciption', 'description'],
    ['descritpion', 'description'],
    ['rnu', 'run'],
  ] as const)
    assert.equal(nearMiss(name, known), meant)
  assert.equal(nearMiss('routs', ['hosts', 'routes']), 'routes')
})

test('nearMiss() suggests nothing for other names', () => {
  for (const name of ['strict', 'runner', 'fun2', 'schema', '', 'descr']) assert.equal(nearMiss(name, known), undefined)
})
