// What is shown before there is anything to show, or when there is nothing.
import { html, nothing } from '/.dharma/lit.js'
import type { TemplateResult } from '/.dharma/lit.js'

/** What a person can do next. */
interface Next {
  path: string
  label: string
}

export function loadingTemplate(text: string): TemplateResult {
  return html`<p class="loading d-muted" role="status">${text}</p>`
}

/** The same for a page that has no heading yet. */
export function loadingPage(text: string): TemplateResult {
  return html`<h1 class="loading loading-heading d-muted" tabindex="-1">${text}</h1>`
}

function nextTemplate(next: Next | undefined): TemplateResult | typeof nothing {
  return next === undefined
    ? nothing
    : html`<a class="d-button d-button-primary" href=${next.path}>${next.label}</a>`
}

/** An empty list: says what will be there and offers what to do. */
export function emptyTemplate(title: string, text: string, next?: Next): TemplateResult {
  return html`<div class="d-empty">
    <h2>${title}</h2>
    <p>${text}</p>
    ${nextTemplate(next)}
  </div>`
}

/** A page that has nothing else on it. */
export function emptyPage(title: string, text: string, next?: Next): TemplateResult {
  return html`<div class="d-empty">
    <h1 tabindex="-1">${title}</h1>
    <p>${text}</p>
    ${nextTemplate(next)}
  </div>`
}
