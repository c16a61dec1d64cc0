// Posts a message by `chat.postMessage` and a token, not by an incoming webhook: a webhook's URL is itself a secret, and a
// URL is in the record, in the grant and in messages. A token is a credential, which the engine adds and nobody sees.
import { define, done, failure, http, log, type Context, type Kind } from "./sandbook";

interface Input {
  channel: string;
  text: string;
  thread?: string;
}

type Answer = { ok: true; channel: string; ts: string; warning?: string } | { ok: false; error: string };

/** What Slack says, with the status 200, when it did nothing. */
const KINDS: Record<string, Kind> = {
  channel_not_found: "not-found",
  thread_not_found: "not-found",
  invalid_auth: "unauthorized",
  missing_scope: "unauthorized",
  not_authed: "unauthorized",
  token_expired: "unauthorized",
  token_revoked: "unauthorized",
  is_archived: "conflict",
  not_in_channel: "conflict",
  msg_too_long: "invalid-input",
  no_text: "invalid-input",
  ratelimited: "rate-limited",
  service_unavailable: "unavailable",
};

function run(_: Context, { channel, text, thread }: Input) {
  // Not repeatable: sent twice it is there twice. Slack knows no idempotency key.
  const answer = http
    .post("https://slack.com/api/chat.postMessage")
    .credential("slack")
    .bodyJson({ channel, text, thread_ts: thread })
    .json<Answer>();
  if (!answer.ok) {
    // Nothing was posted, so that the next attempt is to ask again and not to be told the same from the record.
    const details = { code: answer.error, startOver: true };
    throw failure(KINDS[answer.error] ?? "failed", `Slack refused the message: ${answer.error}`, details);
  }
  if (answer.warning) {
    log.warn(`Slack warns: ${answer.warning}`);
  }
  return done({ channel: answer.channel, message: answer.ts }, { changed: true, summary: `posted to ${channel}` });
}

export const step = define(run);
