// The colours of what the shell's page does not draw. They are those of its design tokens
// (`renderer/ui/tokens.css`), for which a test looks.

type Colour = readonly [red: number, green: number, blue: number]

export const COLOURS = {
  light: { canvas: [243, 243, 240], text: [28, 32, 30], scrim: [24, 28, 26], scrimShare: 0.32 },
  dark: { canvas: [20, 23, 22], text: [231, 235, 233], scrim: [0, 0, 0], scrimShare: 0.52 },
} as const

function hex(colour: Colour): string {
  return `#${colour.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`
}

/** @param dimmed  as they are under the scrim of a dialog */
export function windowColours(isDark: boolean, dimmed: boolean): { canvas: string; text: string } {
  const { canvas, text, scrim, scrimShare } = isDark ? COLOURS.dark : COLOURS.light
  const share = dimmed ? scrimShare : 0
  const under = ([red, green, blue]: Colour): Colour => [
    red + (scrim[0] - red) * share,
    green + (scrim[1] - green) * share,
    blue + (scrim[2] - blue) * share,
  ]
  return { canvas: hex(under(canvas)), text: hex(under(text)) }
}
