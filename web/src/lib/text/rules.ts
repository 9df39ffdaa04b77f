// What the client shares with the server's ground/words.py and rooms/mentions.py, made from them by
// `python -m testing.pages`. `UNSPACED` is the inside of a class of letters, the others are patterns.
export const UNSPACED = String.raw`\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー`;
export const DECORATION = String.raw`[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f\u00ad\u200c\u200d\u2060\ufeff]`;
export const BEFORE_MENTION = String.raw`(?<![@/.])(?<!(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー])[\p{L}\p{M}\p{N}_])@`;
export const AFTER_MENTION = String.raw`(?!\p{M}|[\u200c\u200d]|(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Bopomofo}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\p{Script=Tibetan}ー])[\p{L}\p{N}])`;
export const STROKES: Record<string, string> = {
  ł: "l",
  đ: "d",
  ø: "o",
  ħ: "h",
  ŧ: "t",
  ı: "i",
  ɨ: "i",
  ʉ: "u",
  ƀ: "b",
  ɓ: "b",
  ɗ: "d",
  ƙ: "k",
  ɠ: "g",
  ɖ: "d",
  ʈ: "t",
  æ: "ae",
  œ: "oe",
  ð: "d",
  þ: "th",
};
