// The scripts that are written without spaces between words, where Western rules for marks and addresses fail.

/**
 * The characters of these scripts, as the inside of a regular expression's class (flag `u`): Chinese, Japanese and
 * Korean by markdown-cjk-friendly's specification without emoji, with full-width punctuation and the selectors of
 * variants, and Thai, Lao, Burmese and Khmer, which fail alike.
 */
export const UNSPACED =
  "\\u0e00-\\u0eff\\u1000-\\u109f\\u1100-\\u11ff\\u1780-\\u17ff\\u2e80-\\u2fff\\u3001-\\u303f\\u3041-\\u4dbf" +
  "\\u4e00-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7ff\\uf900-\\ufaff\\ufe00-\\ufe02\\ufe10-\\ufe1f\\ufe30-\\ufe6f" +
  "\\uff01-\\uffef\\u{16fe0}-\\u{18dff}\\u{1aff0}-\\u{1b2ff}\\u{20000}-\\u{3fffd}\\u{e0100}-\\u{e01ef}";
