// The step: reads a page's title.
import { define, done, failure, http, type Context } from "./sandbook";

interface Input {
  url: string;
}

interface Page {
  title: string;
}

function run(_: Context, input: Input) {
  const page = http.get(input.url).credentialIfBound("api").json<Page>();
  const title = page.title?.trim();
  if (!title) {
    throw failure("failed", `${input.url} has no title`, { code: "UnexpectedAnswer" });
  }
  return done({ title }, { summary: "read the title" });
}

export const step = define(run);
