// The contract, made convenient: what a step is, failures, HTTP, log lines.
import { plainText, trace, write } from "./prelude";
import { seed } from "./random";
import send, { type HttpError } from "sandbook:step/http@0.1.0";
import progressing from "sandbook:step/progress@0.1.0";
import secrets, { type Credential } from "sandbook:step/secrets@0.1.0";
import timer from "sandbook:step/timer@0.1.0";

/** What a step may know about the run that it is a part of. Times are milliseconds since 1970, UTC. */
export interface Context {
  run: string;
  step: string;
  /** Which try of the step this is; the first is 1. */
  attempt: number;
  /** The same for all attempts of this step in this run: for services that take an idempotency key. */
  idempotencyKey: string;
  /** When the step's first attempt began: for time stamps that must not differ between attempts. */
  startedAt: number;
  /** When this attempt is ended, wherever it is. */
  deadline: number;
  /** In a dry run every request that could change something is held back. */
  dryRun: boolean;
}

const KINDS = [
  "invalid-input",
  "unauthorized",
  "not-found",
  "conflict",
  "rate-limited",
  "unavailable",
  "timed-out",
  "failed",
] as const;

/** Why a step failed. The first four are not tried again, the others are. */
export type Kind = (typeof KINDS)[number];

interface Details {
  /** A name for machines, the plugin's or the service's own. */
  code?: string;
  /** How long to wait before the next attempt, in milliseconds. */
  retryAfter?: number;
  /** What was sent so far is known to have had no effect: the next attempt sends it anew. */
  startOver?: boolean;
}

/** A step's failure, to be thrown. */
export class Failure extends Error {
  constructor(
    readonly kind: Kind,
    message: string,
    readonly details: Details = {},
  ) {
    super(message);
  }

  /**
   * Whether a request was held back: this is a dry run, and it could have changed something. A step that goes on shows what it
   * would ask for next.
   */
  get isHeldBack(): boolean {
    return this.details.code === "HeldBack";
  }
}

/** A failure: `throw failure("not-found", "there is no such page")`. */
export function failure(kind: Kind, message: string, details?: Details): Failure {
  return new Failure(kind, message, details);
}

/** What a step that succeeded has to say. */
export interface Done<Output> {
  data: Output;
  changed: boolean;
  summary: string;
}

/** The step's outputs; whether anything in the world is different from before; what was done, in one line. */
export function done<Output extends object>(
  data: Output,
  { changed = false, summary = "" }: { changed?: boolean; summary?: string } = {},
): Done<Output> {
  return { data, changed, summary };
}

/**
 * Makes a function the component's step: `export const step = define(run);`.
 *
 * Whatever the function throws is a failure: a `Failure` as it says, anything else of the kind `failed`, with its name
 * as the code and its stack in the log.
 */
export function define<Input, Output extends object>(run: (context: Context, input: Input) => Done<Output>) {
  return {
    run(context: Context, input: string) {
      try {
        seed(context.idempotencyKey);
        const ended = run(context, JSON.parse(input));
        if (ended instanceof Promise) {
          throw new TypeError("the step returned a Promise: there is no event loop that would settle it");
        }
        const { data, changed, summary } = ended;
        return { data: plainJson(data), changed: Boolean(changed), summary: plainText(summary ?? "") };
      } catch (error) {
        throw told(error);
      }
    },
  };
}

/** What was thrown, as the contract's failure. */
function told(error: unknown) {
  if (error instanceof Failure) {
    const { code, retryAfter, startOver } = error.details ?? {};
    return {
      kind: KINDS.includes(error.kind) ? error.kind : "failed",
      code: code == null ? null : plainText(code),
      message: plainText(error.message),
      retryAfter: retryAfter == null ? null : span(retryAfter),
      startOver: Boolean(startOver),
    };
  }
  if (error instanceof Error) {
    log.error(trace(error));
  }
  const [code, message] = error instanceof Error ? [error.name, error.message] : ["Thrown", error];
  return { kind: "failed", code: plainText(code), message: plainText(message), retryAfter: null, startOver: false };
}

/** A value as JSON; halves of characters, which UTF-8 can't have, are replaced by U+FFFD. */
function plainJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`a value of the type ${typeof value} can't be written as JSON`);
  }
  return text.replace(/\\(?:u(d[89a-f][0-9a-f]{2})|.)/g, (escape, half) => (half ? "\ufffd" : escape));
}

/** A span for the engine, in milliseconds: none is less than nothing, and none is endless. */
function span(milliseconds: number): number {
  const whole = Math.round(Number(milliseconds)) || 0;
  return Math.min(Math.max(whole, 0), Number.MAX_SAFE_INTEGER);
}

/** Lines for whoever watches, and for the record. A message of several lines is as many lines. */
export const log = {
  debug: (message: string) => write("debug", message),
  info: (message: string) => write("info", message),
  warn: (message: string) => write("warn", message),
  error: (message: string) => write("error", message),
};

/** Replaces what is shown beside the step while it runs; `fraction` is the part that is done, 0 to 1. */
export function progress(message: string, fraction: number | null = null): void {
  progressing.report(plainText(message), fraction === null ? null : Number(fraction));
}

/** Waits so many milliseconds. */
export function sleep(milliseconds: number): void {
  timer.sleep(span(milliseconds));
}

/** What is left of the attempt's time, in milliseconds. A step that waits for something should give up a little before. */
export function remaining(context: Context): number {
  return Math.max(0, context.deadline - Date.now());
}

/** Requests: `http.get(url).credential("api").json()`. Nothing is sent before `send`, `checked` or `json`. */
export const http = {
  get: (url: string | URL) => new Request("GET", url),
  head: (url: string | URL) => new Request("HEAD", url),
  /** Not repeatable unless it says so. */
  post: (url: string | URL) => new Request("POST", url),
  put: (url: string | URL) => new Request("PUT", url),
  /** Not repeatable unless it says so. */
  patch: (url: string | URL) => new Request("PATCH", url),
  delete: (url: string | URL) => new Request("DELETE", url),
  /** A URL of a base and further segments, each of which stays one segment. */
  join(base: string, ...segments: string[]): string {
    for (const segment of segments) {
      if (["", ".", ".."].includes(segment)) {
        throw failure("invalid-input", `\`${segment}\` can't be a part of a URL's path`);
      }
    }
    return [base.replace(/\/+$/, ""), ...segments.map(encodeURIComponent)].join("/");
  },
};

/** A request in the making. */
export class Request {
  readonly #headers: { name: string; value: string }[] = [];
  readonly #url: string;
  #body: Uint8Array | null = null;
  #credential: Credential | null = null;
  #repeatable: boolean | null = null;
  #timeout: number | null = null;

  constructor(
    readonly method: string,
    url: string | URL,
  ) {
    this.#url = plainText(url);
  }

  header(name: string, value: string): this {
    this.#headers.push({ name: plainText(name), value: plainText(value) });
    return this;
  }

  /** The body, as JSON. Adds its content type. */
  bodyJson(value: unknown): this {
    return this.header("content-type", "application/json").body(plainJson(value));
  }

  body(body: string | Uint8Array): this {
    this.#body = body instanceof Uint8Array ? body : new TextEncoder().encode(plainText(body));
    return this;
  }

  /** Has the engine authenticate the request with the credential that the runbook binds to a slot. */
  credential(slot: string): this {
    this.#credential = opened(slot);
    if (!this.#credential) {
      const message = `the runbook binds no credential to the slot \`${slot}\`; add \`credentials: { ${slot}: NAME }\` to the step`;
      throw failure("unauthorized", message, { code: "SlotUnbound" });
    }
    return this;
  }

  /** The same for a slot that is optional: where the runbook binds none, the request goes without. */
  credentialIfBound(slot: string): this {
    this.#credential = opened(slot);
    return this;
  }

  /** Whether sending this twice is as harmless as sending it once. Unsaid, all but POST and PATCH are. */
  repeatable(repeatable: boolean): this {
    this.#repeatable = Boolean(repeatable);
    return this;
  }

  /** How long to wait for the answer, in milliseconds. */
  timeout(milliseconds: number): this {
    this.#timeout = span(milliseconds);
    return this;
  }

  /** Sends the request; the answer, whatever its status. Without an answer it throws a `Failure`. */
  send(): Response {
    const asked = `${this.method} ${this.#url.split(/[?#]/, 1)[0]}`;
    try {
      const answer = send.send(
        {
          method: plainText(this.method),
          url: this.#url,
          headers: this.#headers,
          body: this.#body,
          repeatable: this.#repeatable,
          timeout: this.#timeout,
        },
        this.#credential,
      );
      return new Response(asked, answer.status, answer.headers, answer.body);
    } catch (error) {
      throw unanswered(payload<HttpError>(error)) ?? error;
    }
  }

  /** Sends the request; the answer when its status is 2xx, or else its `Failure` is thrown. */
  checked(): Response {
    return this.send().ok();
  }

  /** Sends the request; the JSON of the answer when its status is 2xx. */
  json<Value = unknown>(): Value {
    return this.checked().json();
  }
}

/** An answer, whole. */
export class Response {
  constructor(
    readonly asked: string,
    readonly status: number,
    readonly headers: { name: string; value: string }[],
    readonly bytes: Uint8Array,
  ) {}

  /** The first header of that name, in any case. */
  header(name: string): string | undefined {
    return this.headers.find((header) => header.name.toLowerCase() === name.toLowerCase())?.value;
  }

  text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  /** The body as JSON, whatever the status. */
  json<Value = unknown>(): Value {
    try {
      return JSON.parse(this.text());
    } catch (error) {
      const { message: reason } = error as Error;
      const message = `${this.asked} answered ${this.status} with something unexpected: ${reason}: ${this.#quoted()}`;
      throw failure("failed", message, { code: "UnexpectedAnswer" });
    }
  }

  /** The answer again when its status is 2xx. */
  ok(): this {
    if (this.status >= 200 && this.status < 300) {
      return this;
    }
    throw this.failure();
  }

  /** The failure that this answer is to a step that can't go on with it. */
  failure(): Failure {
    const after = this.header("retry-after") ?? "";
    return failure(kindOf(this.status), `${this.asked} answered ${this.status}: ${this.#quoted()}`, {
      code: `Http${this.status}`,
      retryAfter: /^[0-9]{1,10}$/.test(after) ? Number(after) * 1000 : undefined,
    });
  }

  #quoted(): string {
    const words = this.text().split(/\s+/).join(" ").trim();
    return words.length > 300 ? `${words.slice(0, 300)}…` : words;
  }
}

/** A slot's credential; null where the runbook binds none. */
function opened(slot: string): Credential | null {
  try {
    return secrets.open(plainText(slot));
  } catch {
    return null;
  }
}

/** What the engine threw: the value is in the error's `payload`. */
function payload<Value>(error: unknown): Value | undefined {
  return (error as { payload?: Value } | null)?.payload;
}

function unanswered(error: HttpError | undefined): Failure | undefined {
  switch (error?.tag) {
    case "denied":
      return failure("unauthorized", error.val, { code: "Denied" });
    case "held-back":
      return failure("failed", "held back: this is a dry run", { code: "HeldBack" });
    case "unreachable":
      return failure("unavailable", error.val, { code: "Unreachable" });
    case "timed-out":
      return failure("timed-out", error.val, { code: "TimedOut" });
    case "too-large":
      return failure("failed", error.val, { code: "TooLarge" });
    case "malformed":
      return failure("failed", error.val, { code: "Malformed" });
  }
}

function kindOf(status: number): Kind {
  if ([401, 403, 407].includes(status)) return "unauthorized";
  if ([404, 410].includes(status)) return "not-found";
  if ([409, 412, 423].includes(status)) return "conflict";
  if ([420, 429].includes(status)) return "rate-limited";
  if ([408, 504].includes(status)) return "timed-out";
  if (status >= 400 && status < 500) return "invalid-input";
  return status >= 500 && status < 600 ? "unavailable" : "failed";
}
