import { main } from './app.ts'

await main(document.body)
