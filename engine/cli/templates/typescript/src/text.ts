// TextEncoder and TextDecoder, for UTF-8.

export class PlainTextEncoder {
  readonly encoding = "utf-8";

  encode(text = ""): Uint8Array {
    const given = String(text).toWellFormed();
    const count = given.length;
    // Most texts are ASCII, and each step of a loop counts in an engine that interprets.
    if (!BEYOND_ASCII.test(given)) {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; at++) bytes[at] = given.charCodeAt(at);
      return bytes;
    }
    const bytes = new Uint8Array(count * 3);
    let length = 0;
    for (let at = 0; at < count; at++) {
      const unit = given.charCodeAt(at);
      if (unit < 0x80) {
        bytes[length++] = unit;
        continue;
      }
      const point = given.codePointAt(at)!;
      if (point < 0x800) {
        bytes[length++] = 0xc0 | (point >> 6);
      } else {
        if (point < 0x10000) {
          bytes[length++] = 0xe0 | (point >> 12);
        } else {
          bytes[length++] = 0xf0 | (point >> 18);
          bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
          at++;
        }
        bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      }
      bytes[length++] = 0x80 | (point & 0x3f);
    }
    return bytes.slice(0, length);
  }
}

const BEYOND_ASCII = /[^\0-\x7f]/;

/** How many characters are made in one call, which takes each as an argument. */
const RUN = 4096;

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
    const isMarked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    const given = isMarked ? bytes.subarray(3) : bytes;
    // A character for each byte, of which those beyond ASCII are read anew.
    const parts: string[] = [];
    for (let at = 0; at < given.length; at += RUN) {
      parts.push(String.fromCharCode.apply(null, given.subarray(at, at + RUN) as unknown as number[]));
    }
    return parts.join("").replace(/[\x80-\xff]+/g, (run, at: number) => this.#read(given, at, at + run.length));
  }

  #read(bytes: Uint8Array, from: number, to: number): string {
    let text = "";
    for (let at = from; at < to; ) {
      const [point, length] = character(bytes, at);
      if (point < 0 && this.fatal) {
        throw new TypeError("the bytes are not UTF-8");
      }
      text += point < 0 ? "\ufffd" : String.fromCodePoint(point);
      at += length;
    }
    return text;
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
