// Compares the template's own URL, URLSearchParams, TextEncoder and TextDecoder with those that Node has.
import assert from "node:assert/strict";
import { seed } from "template/random";
import { PlainTextDecoder, PlainTextEncoder } from "template/text";
import { PlainURL, PlainURLSearchParams } from "template/url";

const PARTS = [
  "href", "origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash",
] as const;

const urls: [string, string?][] = [
  ["https://example.com"],
  ["HTTPS://Example.COM:443/a/../b/./c?x=1#top"],
  ["http://example.com:8080/a%20b/ü?q=ä b&c='d'#é"],
  ["https://user:pass@example.com/"],
  ["https://[::1]:8443/x"],
  ["https://example.com/a/b/%2e%2e/c/.."],
  ["https://example.com?x"],
  ["https://example.com/a|b"],
  ["../c?d#e", "https://example.com/a/b/x?y"],
  ["/c", "https://example.com/a/b"],
  ["//other.example/c", "https://example.com/a"],
  ["?only=query", "https://example.com/a/b?c"],
  ["#only", "https://example.com/a/b?c"],
  ["", "https://example.com/a/b?c"],
];
for (const [url, base] of urls) {
  const [ours, theirs] = [new PlainURL(url, base), new URL(url, base)];
  for (const part of PARTS) {
    assert.equal(ours[part], theirs[part], `${part} of ${url} (${base})`);
  }
}

for (const url of ["", "/a", "example.com", "https://", "https://a b/", "https://x:99999/", "https://[::1/"]) {
  assert.equal(PlainURL.canParse(url), URL.canParse(url), url);
}

// What is given to a part of a URL is encoded as in one that is read whole.
const setters = ["/a b?c#d", "x/../y", "/ü%20", ""];
for (const given of setters) {
  for (const part of ["pathname", "hash", "search"] as const) {
    const [ours, theirs] = [new PlainURL("https://example.com/a?b#c"), new URL("https://example.com/a?b#c")];
    ours[part] = given;
    theirs[part] = given;
    assert.equal(ours.href, theirs.href, `${part} = ${given}`);
  }
}
const moved = new PlainURL("https://example.com:8443/");
moved.hostname = "Other.example";
moved.port = 443;
assert.equal(moved.href, "https://other.example/");
for (const host of ["a b", "a/b", ""]) {
  assert.throws(() => (moved.hostname = host), TypeError, host);
}
assert.throws(() => (moved.port = "99999"), TypeError);
// Node writes such a name as DNS has it; a wrong URL would be worse than none.
assert.throws(() => new PlainURL("https://müller.example/"), /xn--/);

const changed = new PlainURL("https://example.com/?b=1&a=%20x");
const changedToo = new URL("https://example.com/?b=1&a=%20x");
for (const url of [changed, changedToo]) {
  url.searchParams.append("ü", "a&b=c~!'()*");
  url.searchParams.set("b", "2");
  url.searchParams.sort();
}
assert.equal(changed.href, changedToo.href);

for (const query of ["", "?a=1&a=2&b", "a=b=c&=d&e=%zz&f=+%2B", "a=%F0%9F%98%80"]) {
  if (query.includes("%zz")) continue; // ours leaves the whole part as it is
  const [ours, theirs] = [new PlainURLSearchParams(query), new URLSearchParams(query)];
  assert.deepEqual([...ours], [...theirs], query);
  assert.equal(ours.toString(), theirs.toString(), query);
  assert.deepEqual(ours.getAll("a"), theirs.getAll("a"), query);
}

const long = "0123456789".repeat(1000);
const texts = ["", "plain", "Grüße", "€", "\u{1f600}", "\ud800 alone", "\u0000", long, `${long}€${long}`, "€".repeat(5000)];
for (const text of texts) {
  const bytes = new TextEncoder().encode(text);
  assert.deepEqual(new PlainTextEncoder().encode(text), bytes, text);
  assert.equal(new PlainTextDecoder().decode(bytes), text.toWellFormed(), text);
}

const bytes = [
  [], [0x61], [0xc3, 0xa9], [0xe2, 0x82, 0xac], [0xf0, 0x9f, 0x98, 0x80], [0xef, 0xbb, 0xbf, 0x61],
  [0x80], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xe2, 0x28, 0xa1], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80],
  [0xf0, 0x9f, 0x98], [0xc0, 0xaf], [0xff, 0x61],
];
for (const list of bytes) {
  const array = Uint8Array.from(list);
  assert.equal(new PlainTextDecoder().decode(array), new TextDecoder().decode(array), String(list));
}
assert.throws(() => new PlainTextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(0xff)), TypeError);
assert.throws(() => new PlainTextDecoder("latin1"), RangeError);

const drawn = (key: string) => {
  seed(key);
  return Array.from({ length: 1000 }, () => Math.random());
};
const numbers = drawn("ea1898201c61");
assert.deepEqual(drawn("ea1898201c61"), numbers);
assert.notDeepEqual(drawn("ea1898201c62"), numbers);
assert.equal(new Set(numbers).size, numbers.length);
assert.ok(numbers.every((number) => number >= 0 && number < 1));
const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;
assert.ok(mean > 0.45 && mean < 0.55, String(mean));
