/**
 * How much room text takes. No browser measures it at build time, and the reader's font may be another: the widths
 * are those of DejaVu Sans, the widest of the usual ones, so that text never leaves its box.
 */

export interface Lettering {
  readonly sizePx: number;
  readonly bold?: boolean;
}

const NARROW = /[iIl.,:;'|!()[\]]/;
const WIDE = /[mwMW@]/;
const CAPITAL = /[A-Z]/;

/** Widths in units of the font size. */
const widthOf = (letter: string): number => {
  if (NARROW.test(letter)) return 0.37;
  if (WIDE.test(letter)) return 0.94;
  return CAPITAL.test(letter) ? 0.7 : 0.6;
};

const BOLD_FACTOR = 1.1;
const LINE_FACTOR = 1.35;

export const textWidth = (text: string, { sizePx, bold = false }: Lettering): number =>
  Math.ceil([...text].reduce((sum, letter) => sum + widthOf(letter), 0) * sizePx * (bold ? BOLD_FACTOR : 1));

export const lineHeight = ({ sizePx }: Lettering): number => Math.round(sizePx * LINE_FACTOR);
