// TextEncoder and TextDecoder, for UTF-8.

export class PlainTextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    // What the engine has: UTF-8 as percent escapes.
    const escaped = encodeURIComponent(text.toWellFormed());
    const bytes: number[] = [];
    for (let at = 0; at < escaped.length; at++) {
      if (escaped[at] === "%") {
        bytes.push(parseInt(escaped.slice(at + 1, at + 3), 16));
        at += 2;
      } else {
        bytes.push(escaped.charCodeAt(at));
      }
    }
    return Uint8Array.from(bytes);
  }
}

/** UTF-8 only. What is none is replaced by U+FFFD, or refused if `fatal`. */
export class PlainTextDecoder {
  readonly encoding = "utf-8";
  readonly fatal: boolean;

  constructor(label = "utf-8", { fatal = false }: { fatal?: boolean } = {}) {
    if (!/^utf-?8$/i.test(label)) {
      throw new RangeError(`\`${label}\` is not an encoding that this TextDecoder knows: it knows utf-8`);
    }
    this.fatal = fatal;
  }

  decode(source: Uint8Array | ArrayBuffer = new Uint8Array()): string {
    const bytes = source instanceof Uint8Array ? source : new Uint8Array(source);
    const parts: string[] = [];
    let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (at < bytes.length) {
      const [point, length] = character(bytes, at);
      if (point < 0 && this.fatal) {
        throw new TypeError("the bytes are not UTF-8");
      }
      parts.push(point < 0 ? "\ufffd" : String.fromCodePoint(point));
      at += length;
    }
    return parts.join("");
  }
}

/** The code point that begins there and its length; -1 for bytes that are none, with how many to leave out. */
function character(bytes: Uint8Array, at: number): [number, number] {
  const first = bytes[at]!;
  if (first < 0x80) return [first, 1];
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4) return [-1, 1];
  let point = first & (0x7f >> length);
  for (let more = 1; more < length; more++) {
    const next = bytes[at + more];
    const least = more > 1 ? 0x80 : first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
    const most = more > 1 ? 0xbf : first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
    if (next === undefined || next < least || next > most) return [-1, more];
    point = (point << 6) | (next & 0x3f);
  }
  return [point, length];
}
