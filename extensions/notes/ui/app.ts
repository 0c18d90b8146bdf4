import { CloudError, connectToCloud } from '/.dharma/sdk.js'
import type { TypedRecord } from '/.dharma/sdk.js'
import { html, render, repeat } from '/.dharma/lit.js'

type Note = { text: string }

const cloud = await connectToCloud()
const notes = cloud.db.collection<Note>('notes')
let records: TypedRecord<Note>[] = []
let problem = ''

async function add(event: SubmitEvent): Promise<void> {
  event.preventDefault()
  const form = event.target as HTMLFormElement
  const text = String(new FormData(form).get('text'))
  await attempt(() => notes.put(crypto.randomUUID(), { text }))
  if (problem === '') form.reset()
}

async function attempt(action: () => Promise<unknown>): Promise<void> {
  problem = ''
  try {
    await action()
  } catch (error) {
    problem = error instanceof CloudError ? error.message : String(error)
  }
  draw()
}

function draw(): void {
  const item = (note: TypedRecord<Note>) => html`
    <li class="d-row d-spread">
      <span>${note.value.text}</span>
      <button class="d-button" @click=${() => attempt(() => notes.delete(note.id))}>
        Delete <span class="d-hidden">“${note.value.text}”</span>
      </button>
    </li>
  `
  render(
    html`
      <main class="d-page">
        <h1>Notes</h1>
        <form class="d-row" @submit=${add}>
          <label for="text">New note</label>
          <input class="d-input" id="text" name="text" required maxlength="2000" />
          <button class="d-button d-button-primary">Add</button>
        </form>
        <p class="d-problem" role="alert">${problem}</p>
        <ul class="d-stack">
          ${repeat(records, (note) => note.id, item)}
        </ul>
      </main>
    `,
    document.body,
  )
}

draw()
notes.live(
  {},
  (page) => {
    records = page.records
    draw()
  },
  (error) => {
    problem = error.message
    draw()
  },
)
