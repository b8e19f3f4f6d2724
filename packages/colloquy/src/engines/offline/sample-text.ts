const sentences = [
  'A message begins as a line that someone types.',
  'The program adds it to the history and writes both to the disk before it sends them.',
  'The request carries every message so far, because the server keeps nothing between two requests.',
  'It also names a model, the longest reply that is wanted, and the tools that the model may call.',
  'The server checks all of this and refuses a request that breaks a rule.',
  'Then the reply comes back as a *stream of events*, each a few words long.',
  'The first event tells how many tokens the prompt had.',
  'The next ones carry the text, and the last one tells why the reply ended.',
  'A reader sees the words as they arrive and can stop them at any time.',
  'The part that arrived by then is kept, so that the reply can be continued later.',
  'When the reply is complete, its tokens are counted and its cost is added to the conversation.',
  'The next message is sent with all of this, and so the conversation continues.',
]
const sentencesPerParagraph = 5

/** A text of at least so many words about how a conversation works. It repeats itself if it has to. */
export function sampleText(words: number): string {
  let text = ''
  for (let index = 0, length = 0; length < words; index++) {
    const sentence = sentences[index % sentences.length]!
    text += `${index === 0 ? '' : index % sentencesPerParagraph === 0 ? '\n\n' : ' '}${sentence}`
    length += sentence.split(' ').length
  }
  return text
}
