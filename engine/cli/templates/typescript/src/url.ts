// URL and URLSearchParams for http and https, which is all that a step can ask for.

const SHAPE = /^([a-z][a-z0-9+.-]*):\/\/(?:([^/?#@]*)@)?([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?$/i;
const PORTS: Record<string, string> = { "http:": "80", "https:": "443" };

/** What may stand in no part, and what in which; escapes that are there already stay. */
const NOWHERE = "\\0-\\x20\"<>\\x7f-\\u{10ffff}";
const NOT_IN = {
  path: new RegExp(`[${NOWHERE}\`{}]`, "gu"),
  search: new RegExp(`[${NOWHERE}']`, "gu"),
  hash: new RegExp(`[${NOWHERE}\`]`, "gu"),
};

function escaped(text: string, part: keyof typeof NOT_IN): string {
  const escape = (mark: string) => (mark === "'" ? "%27" : encodeURIComponent(mark));
  return text.toWellFormed().replace(NOT_IN[part], escape);
}

/** A path without `.` and `..`. */
function straight(path: string): string {
  const parts: string[] = [];
  const given = path.split("/").slice(1);
  given.forEach((part, index) => {
    const plain = part.replace(/%2e/gi, ".");
    const isLast = index === given.length - 1;
    if (plain === "..") parts.pop();
    if (plain === "." || plain === "..") {
      if (isLast) parts.push("");
    } else {
      parts.push(part);
    }
  });
  return `/${parts.join("/")}`;
}

export class PlainURL {
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  searchParams!: PlainURLSearchParams;
  #hostname = "";
  #port = "";
  #pathname = "/";
  #hash = "";
  /** As it was given, while the parameters haven't been touched. */
  #search = "";

  constructor(url: string | PlainURL, base?: string | PlainURL) {
    const given = String(url).trim().replace(/[\t\n\r]/g, "");
    const whole = SHAPE.exec(given) ?? SHAPE.exec(base === undefined ? "" : against(given, new PlainURL(base)));
    const [, scheme = "", user = "", host = "", path = "", search = "", hash = ""] = whole ?? [];
    this.protocol = `${scheme.toLowerCase()}:`;
    const place = /^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$/.exec(host);
    if (!place?.[1] || !(this.protocol in PORTS)) {
      throw new TypeError(`\`${given}\` is no absolute http or https URL`);
    }
    [this.username = "", this.password = ""] = user.split(/:(.*)/, 2);
    this.hostname = place[1];
    this.port = place[2] ?? "";
    this.pathname = path;
    this.hash = hash;
    this.search = search;
  }

  static canParse(url: string, base?: string): boolean {
    try {
      new PlainURL(url, base);
      return true;
    } catch {
      return false;
    }
  }

  get hostname(): string {
    return this.#hostname;
  }

  set hostname(name: string) {
    if (/[^\0-\x7f]/.test(name)) {
      throw new TypeError(`the host \`${name}\` is not ASCII: write it as DNS has it, as xn--…`);
    }
    if (!/^(\[[0-9a-f:.]+\]|[^\0-\x20:[\]<>\\^|%/?#@\x7f]+)$/i.test(name)) {
      throw new TypeError(`\`${name}\` is no host`);
    }
    this.#hostname = name.toLowerCase();
  }

  get port(): string {
    return this.#port;
  }

  set port(given: string | number) {
    const port = given === "" ? "" : String(Number(given));
    if (!/^[0-9]*$/.test(port) || Number(port) > 65535) {
      throw new TypeError(`\`${given}\` is no port`);
    }
    this.#port = port === PORTS[this.protocol] ? "" : port;
  }

  get pathname(): string {
    return this.#pathname;
  }

  set pathname(path: string) {
    const whole = path.startsWith("/") ? path : `/${path}`;
    this.#pathname = escaped(straight(whole), "path").replace(/[?#]/g, encodeURIComponent);
  }

  get hash(): string {
    return this.#hash;
  }

  set hash(hash: string) {
    const text = hash.replace(/^#/, "");
    this.#hash = text && `#${escaped(text, "hash")}`;
  }

  get search(): string {
    return this.#search;
  }

  set search(search: string) {
    const text = search.replace(/^\?/, "");
    this.searchParams = new PlainURLSearchParams(text, (changed) => {
      this.#search = changed && `?${changed}`;
    });
    this.#search = text && `?${escaped(text, "search").replace(/#/g, "%23")}`;
  }

  get host(): string {
    return this.port ? `${this.hostname}:${this.port}` : this.hostname;
  }

  get origin(): string {
    return `${this.protocol}//${this.host}`;
  }

  get href(): string {
    const user = this.username && `${this.username}${this.password && `:${this.password}`}@`;
    return `${this.protocol}//${user}${this.host}${this.pathname}${this.search}${this.hash}`;
  }

  toString(): string {
    return this.href;
  }

  toJSON(): string {
    return this.href;
  }
}

/** A reference, as seen from a base. */
function against(reference: string, base: PlainURL): string {
  if (reference.startsWith("//")) return base.protocol + reference;
  if (reference.startsWith("/")) return base.origin + reference;
  if (reference.startsWith("?")) return base.origin + base.pathname + reference;
  if (reference.startsWith("#") || reference === "") return base.origin + base.pathname + base.search + reference;
  return base.origin + base.pathname.replace(/[^/]*$/, "") + reference;
}

type Pairs = string | Record<string, string> | Iterable<readonly [string, string]>;

export class PlainURLSearchParams {
  #pairs: [string, string][] = [];
  readonly #told: (text: string) => void;

  constructor(from: Pairs = "", told: (text: string) => void = () => {}) {
    if (typeof from === "string") {
      const parts = from.replace(/^\?/, "").split("&").filter(Boolean);
      this.#pairs = parts.map((part) => {
        const [name = "", value = ""] = part.split(/=(.*)/s, 2);
        return [plain(name), plain(value)];
      });
    } else {
      const pairs = Symbol.iterator in from ? (from as Iterable<readonly [string, string]>) : Object.entries(from);
      this.#pairs = [...pairs].map(([name, value]) => [String(name), String(value)]);
    }
    this.#told = told;
  }

  get size(): number {
    return this.#pairs.length;
  }

  get(name: string): string | null {
    return this.#pairs.find(([known]) => known === name)?.[1] ?? null;
  }

  getAll(name: string): string[] {
    return this.#pairs.filter(([known]) => known === name).map(([, value]) => value);
  }

  has(name: string): boolean {
    return this.#pairs.some(([known]) => known === name);
  }

  append(name: string, value: unknown): void {
    this.#change([...this.#pairs, [name, String(value)]]);
  }

  delete(name: string): void {
    this.#change(this.#pairs.filter(([known]) => known !== name));
  }

  set(name: string, value: unknown): void {
    const at = this.#pairs.findIndex(([known]) => known === name);
    const others = this.#pairs.filter(([known], index) => known !== name || index === at);
    if (at < 0) others.push([name, String(value)]);
    else others[others.findIndex(([known]) => known === name)] = [name, String(value)];
    this.#change(others);
  }

  sort(): void {
    this.#change(this.#pairs.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  }

  forEach(call: (value: string, name: string) => void): void {
    for (const [name, value] of this.#pairs) call(value, name);
  }

  entries(): IterableIterator<[string, string]> {
    return this.#pairs.map(([name, value]): [string, string] => [name, value]).values();
  }

  keys(): IterableIterator<string> {
    return this.#pairs.map(([name]) => name).values();
  }

  values(): IterableIterator<string> {
    return this.#pairs.map(([, value]) => value).values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    return this.#pairs.map(([name, value]) => `${form(name)}=${form(value)}`).join("&");
  }

  #change(pairs: [string, string][]): void {
    this.#pairs = pairs;
    this.#told(this.toString());
  }
}

/** A part of a query, read: `+` is a blank, and what is no escape stays as it is. */
function plain(text: string): string {
  const blanks = text.replace(/\+/g, " ");
  try {
    return decodeURIComponent(blanks);
  } catch {
    return blanks;
  }
}

/** A part of a query, written as a form does. */
function form(text: string): string {
  const hex = (mark: string) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
  return encodeURIComponent(text.toWellFormed()).replace(/[!'()~]/g, hex).replace(/%20/g, "+");
}
