// Takes a pool out of a load balancer: the step of docs/plugin.md.
import { Failure, define, done, failure, http, progress, remaining, sleep, type Context } from "./sandbook";

/** Between two looks, in milliseconds. */
const PAUSE = 5_000;

interface Input {
  pool: string;
}

interface Pool {
  connections: number;
  locked: boolean;
}

function run(context: Context, { pool }: Input) {
  const url = http.join("https://lb.example.com/v1/pools", pool);
  const found = http.get(url).credential("api").send();
  if (found.status === 404) {
    return done({ connections: 0 }, { summary: `${pool} is gone already` });
  }

  const { connections, locked } = found.ok().json<Pool>();
  if (locked) {
    throw failure("conflict", `${pool} is locked: unlock it first`, { code: "PoolLocked" });
  }

  // What is held back in a dry run isn't waited for; what comes after it is asked for, to be listed.
  try {
    drain(context, url);
  } catch (error) {
    if (!(error instanceof Failure && error.isHeldBack)) throw error;
  }
  http.delete(url).credential("api").checked();
  return done({ connections }, { changed: true, summary: `retired ${pool}` });
}

function drain(context: Context, url: string): void {
  http
    .post(`${url}/drain`)
    .credential("api")
    .repeatable(true)
    .bodyJson({ reason: `run ${context.run}` })
    .checked();

  for (;;) {
    const { connections } = http.get(url).credential("api").json<Pool>();
    if (connections === 0) {
      return;
    }
    const open = `${connections} connections are still open`;
    if (remaining(context) < 2 * PAUSE) {
      throw failure("timed-out", open, { code: "StillDraining" });
    }
    progress(open);
    sleep(PAUSE);
  }
}

export const step = define(run);
