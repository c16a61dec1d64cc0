// A step that does nothing.
import { define, done, type Context } from "./sandbook";

function run(_: Context, __: object) {
  return done({});
}

export const step = define(run);
