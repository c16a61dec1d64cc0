// What plain code expects of the web and QuickJS doesn't have: console, TextEncoder, TextDecoder, URL, URLSearchParams,
// structuredClone. There is no event loop, so there are no timers and no fetch: `sleep` and `http` are in sandbook.ts.
import logging from "sandbook:step/log@0.1.0";
import { PlainTextDecoder, PlainTextEncoder } from "./text";
import { PlainURL, PlainURLSearchParams } from "./url";

/** Log lines: texts as they are, all else as JSON. */
function line(parts: unknown[]): string {
  const shown = (part: unknown) => {
    if (typeof part === "string") return part;
    if (part instanceof Error) return part.stack ?? String(part);
    try {
      return JSON.stringify(part) ?? String(part);
    } catch {
      return String(part);
    }
  };
  return parts.map(shown).join(" ");
}

const plainConsole = {
  debug: (...parts: unknown[]) => logging.write("debug", line(parts)),
  log: (...parts: unknown[]) => logging.write("info", line(parts)),
  info: (...parts: unknown[]) => logging.write("info", line(parts)),
  warn: (...parts: unknown[]) => logging.write("warn", line(parts)),
  error: (...parts: unknown[]) => logging.write("error", line(parts)),
};

/** Of what JSON can say, and Map, Set, Date and bytes; a value that appears twice is copied twice. */
function plainClone<Value>(value: Value): Value {
  const copy = (from: unknown): unknown => {
    if (typeof from === "function" || typeof from === "symbol") {
      throw new TypeError(`a ${typeof from} can't be cloned`);
    }
    if (from === null || typeof from !== "object") return from;
    if (Array.isArray(from)) return from.map(copy);
    if (from instanceof Date) return new Date(from);
    if (from instanceof Uint8Array) return from.slice();
    if (from instanceof Map) return new Map([...from].map(([key, item]) => [copy(key), copy(item)]));
    if (from instanceof Set) return new Set([...from].map(copy));
    return Object.fromEntries(Object.entries(from).map(([key, item]) => [key, copy(item)]));
  };
  return copy(value) as Value;
}

declare global {
  type URL = PlainURL;
  type URLSearchParams = PlainURLSearchParams;
  var TextEncoder: typeof PlainTextEncoder;
  var TextDecoder: typeof PlainTextDecoder;
  var URL: typeof PlainURL;
  var URLSearchParams: typeof PlainURLSearchParams;
  var console: typeof plainConsole;
  function structuredClone<Value>(value: Value): Value;
  function atob(text: string): string;
  function btoa(text: string): string;
}

const globals: Record<string, unknown> = {
  TextEncoder: PlainTextEncoder,
  TextDecoder: PlainTextDecoder,
  URL: PlainURL,
  URLSearchParams: PlainURLSearchParams,
  console: plainConsole,
  structuredClone: plainClone,
};

for (const [name, value] of Object.entries(globals)) {
  if (!(name in globalThis)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
