/** What this version of Dharma speaks; a machine says so in its entry, and two agree on what both do. */
export const PROTOCOL = { version: 2, capabilities: ['machines/2'] }
