// Math.random, begun anew for each step. QuickJS begins its own while the component is built, so that it would draw the same
// numbers in every step of every run.

/** Has Math.random draw what belongs to a key: the same for all attempts of a step. Not for secrets. */
export function seed(key: string): void {
  let state = Uint32Array.of(0x9e3779b9, 0x243f6a88, 0xb7e15162, 1);
  const next = () => {
    // sfc32
    const [a, b, c, count] = state as unknown as [number, number, number, number];
    const sum = (a + b + count) >>> 0;
    state = Uint32Array.of(b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + sum, count + 1);
    return sum;
  };
  for (const character of key) {
    state[0] = state[0]! ^ character.codePointAt(0)!;
    next();
  }
  for (let round = 0; round < 16; round++) {
    next();
  }
  Math.random = () => next() / 2 ** 32;
}
