// What plain code expects of the web and QuickJS doesn't have: console, TextEncoder, TextDecoder, URL, URLSearchParams,
// structuredClone. There is no event loop, so there are no timers and no fetch: `sleep` and `http` are in sandbook.ts.
import logging from "sandbook:step/log@0.1.0";
import { PlainTextDecoder, PlainTextEncoder } from "./text";
import { PlainURL, PlainURLSearchParams } from "./url";

/** A text for the engine, which takes nothing but UTF-8, of whatever there is. */
export function plainText(value: unknown): string {
  try {
    return String(value).toWellFormed();
  } catch {
    return `a value of the type ${typeof value} that can't be shown`;
  }
}

/** Writes a message; one of several lines is as many lines. */
export function write(level: "debug" | "info" | "warn" | "error", message: unknown): void {
  for (const line of plainText(message).replace(/\n+$/, "").split("\n")) {
    logging.write(level, line);
  }
}

/** What an error says, and where it was made. QuickJS's stack has only the latter. */
export function trace(error: Error): string {
  const message = plainText(error);
  const stack = plainText(error.stack ?? "");
  return stack.startsWith(message) ? stack : `${message}\n${stack}`;
}

/** Texts as they are, all else as JSON. */
function shown(part: unknown): string {
  if (typeof part === "string") return part;
  if (part instanceof Error) return trace(part);
  try {
    return JSON.stringify(part) ?? plainText(part);
  } catch {
    return plainText(part);
  }
}

const plainConsole = {
  debug: (...parts: unknown[]) => write("debug", parts.map(shown).join(" ")),
  log: (...parts: unknown[]) => write("info", parts.map(shown).join(" ")),
  info: (...parts: unknown[]) => write("info", parts.map(shown).join(" ")),
  warn: (...parts: unknown[]) => write("warn", parts.map(shown).join(" ")),
  error: (...parts: unknown[]) => write("error", parts.map(shown).join(" ")),
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
