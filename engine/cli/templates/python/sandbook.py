"""The contract, made convenient: what a step is, failures, HTTP, log lines.

Only modules that are imported while the component is built exist when it runs: import at the top of a file.
"""

from __future__ import annotations

import json
import random
import re
import time
import traceback
from dataclasses import dataclass
from typing import Any, Callable
from urllib.parse import quote, urlencode

from componentize_py_types import Err
from wit_world.imports import http as wire
from wit_world.imports import log as logging
from wit_world.imports import progress as progressing
from wit_world.imports import secrets, timer, types
from wit_world.imports.types import Context

__all__ = [
    "Context",
    "Done",
    "Failure",
    "Request",
    "Response",
    "define",
    "http",
    "join",
    "log",
    "progress",
    "remaining",
    "sleep",
]

# How much of a body a message quotes, in characters.
QUOTED = 300

# The longest span that is told to the engine, in seconds.
LONGEST = 10**10

# Halves of characters, which Python's texts may have and UTF-8 can't.
HALVES = re.compile("[\ud800-\udfff]")


class Failure(Exception):
    """Why a step failed, to be raised.

    `kind` is one of invalid-input, unauthorized, not-found, conflict (not tried again), rate-limited, unavailable, timed-out,
    failed (tried again). `code` is a name for machines. `retry_after` is how long to wait before the next attempt, in
    seconds. `start_over` says that what was sent so far is known to have had no effect: the next attempt sends it anew.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        start_over: bool = False,
    ) -> None:
        super().__init__(message)
        self.kind = types.FailureKind[kind.replace("-", "_").upper()]
        self.code = code
        self.retry_after = None if retry_after is None else float(min(retry_after, LONGEST))
        self.start_over = start_over

    @property
    def is_held_back(self) -> bool:
        """Whether a request was held back: this is a dry run, and it could have changed something. A step that goes on shows what
        it would ask for next."""
        return self.code == "HeldBack"


@dataclass
class Done:
    """What a step that succeeded has to say: its outputs, whether anything in the world is different from before, and what was
    done, in one line."""

    data: dict
    changed: bool = False
    summary: str = ""


def define(run: Callable[[Context, Any], Done]) -> type:
    """Makes a function the component's step: `Step = define(run)`.

    Whatever the function raises is a failure: a `Failure` as it says, anything else of the kind `failed`, with its type as the
    code and its traceback in the log.
    """

    class Step:
        def run(self, context: Context, input: str) -> types.Output:
            # Begun while the component was built, it would draw the same in every run.
            random.seed(context.idempotency_key)
            try:
                done = run(context, json.loads(input))
                summary = "" if done.summary is None else _text(done.summary)
                return types.Output(_json(done.data), bool(done.changed), summary)
            except Failure as failure:
                raise Err(_told(failure)) from None
            except BaseException as error:
                log.error("".join(traceback.format_exception(error)))
                message = f"{type(error).__name__}: {_text(error)}"
                raise Err(_told(Failure("failed", message, code=type(error).__name__))) from None

    return Step


def _told(failure: Failure) -> types.Failure:
    code = None if failure.code is None else _text(failure.code)
    wait = None if failure.retry_after is None else _milliseconds(failure.retry_after)
    return types.Failure(failure.kind, code, _text(failure), wait, bool(failure.start_over))


def _text(value: Any) -> str:
    """A text for the engine, which takes nothing but UTF-8, of whatever there is."""
    try:
        return HALVES.sub("\ufffd", str(value))
    except Exception:
        return f"a {type(value).__name__} that can't be shown"


def _json(value: Any) -> str:
    return _text(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _milliseconds(seconds: float) -> int:
    """A span for the engine: none is less than nothing, and none is endless."""
    return round(max(0, min(seconds, LONGEST)) * 1000)


class log:
    """Lines for whoever watches, and for the record. A message of several lines is as many lines."""

    @staticmethod
    def debug(message: str) -> None:
        _write(logging.Level.DEBUG, message)

    @staticmethod
    def info(message: str) -> None:
        _write(logging.Level.INFO, message)

    @staticmethod
    def warn(message: str) -> None:
        _write(logging.Level.WARN, message)

    @staticmethod
    def error(message: str) -> None:
        _write(logging.Level.ERROR, message)


def _write(level: logging.Level, message: str) -> None:
    for line in _text(message).rstrip("\n").split("\n"):
        logging.write(level, line)


def progress(message: str, fraction: float | None = None) -> None:
    """Replaces what is shown beside the step while it runs; `fraction` is the part that is done, 0 to 1."""
    progressing.report(_text(message), None if fraction is None else float(fraction))


def sleep(seconds: float) -> None:
    """Waits so many seconds."""
    timer.sleep(_milliseconds(seconds))


def remaining(context: Context) -> float:
    """What is left of the attempt's time, in seconds. A step that waits for something should give up a little before."""
    return max(0, context.deadline / 1000 - time.time())


def join(base: str, *segments: str) -> str:
    """A URL of a base and further segments, each of which stays one segment."""
    for segment in segments:
        if segment in ("", ".", ".."):
            raise Failure("invalid-input", f"`{segment}` can't be a part of a URL's path")
    return "/".join([base.rstrip("/"), *(quote(segment, safe="") for segment in segments)])


class http:
    """Requests: `http.get(url).credential("api").json()`. Nothing is sent before `send`, `checked` or `json`."""

    @staticmethod
    def get(url: str) -> Request:
        return Request("GET", url)

    @staticmethod
    def head(url: str) -> Request:
        return Request("HEAD", url)

    @staticmethod
    def post(url: str) -> Request:
        """Not repeatable unless it says so."""
        return Request("POST", url)

    @staticmethod
    def put(url: str) -> Request:
        return Request("PUT", url)

    @staticmethod
    def patch(url: str) -> Request:
        """Not repeatable unless it says so."""
        return Request("PATCH", url)

    @staticmethod
    def delete(url: str) -> Request:
        return Request("DELETE", url)


class Request:
    """A request in the making."""

    def __init__(self, method: str, url: str) -> None:
        self._outgoing = wire.Request(_text(method), _text(url), [], None, None, None)
        self._credential: secrets.Credential | None = None

    def header(self, name: str, value: str) -> Request:
        self._outgoing.headers.append(wire.Header(_text(name), _text(value)))
        return self

    def query(self, **parameters: str) -> Request:
        """Adds to the query, percent-encoded."""
        mark = "&" if "?" in self._outgoing.url else "?"
        self._outgoing.url += mark + urlencode(parameters, quote_via=quote)
        return self

    def body(self, body: bytes | str) -> Request:
        self._outgoing.body = _text(body).encode() if isinstance(body, str) else bytes(memoryview(body))
        return self

    def body_json(self, value: Any) -> Request:
        """The body, as JSON. Adds its content type."""
        return self.header("content-type", "application/json").body(_json(value))

    def credential(self, slot: str) -> Request:
        """Has the engine authenticate the request with the credential that the runbook binds to a slot."""
        self.credential_if_bound(slot)
        if self._credential is None:
            raise Failure(
                "unauthorized",
                f"the runbook binds no credential to the slot `{slot}`; "
                f"add `credentials: {{ {slot}: NAME }}` to the step",
                code="SlotUnbound",
            )
        return self

    def credential_if_bound(self, slot: str) -> Request:
        """The same for a slot that is optional: where the runbook binds none, the request goes without."""
        try:
            self._credential = secrets.open(_text(slot))
        except Err:
            self._credential = None
        return self

    def repeatable(self, repeatable: bool = True) -> Request:
        """Whether sending this twice is as harmless as sending it once. Unsaid, all but POST and PATCH are."""
        self._outgoing.repeatable = bool(repeatable)
        return self

    def timeout(self, seconds: float) -> Request:
        """How long to wait for the answer."""
        self._outgoing.timeout = _milliseconds(seconds)
        return self

    def send(self) -> Response:
        """Sends the request; the answer, whatever its status. Without an answer it raises a `Failure`."""
        url = self._outgoing.url.split("?", 1)[0].split("#", 1)[0]
        try:
            answer = wire.send(self._outgoing, self._credential)
        except Err as error:
            raise _unanswered(error.value) from None
        return Response(f"{self._outgoing.method} {url}", answer.status, answer.headers, answer.body)

    def checked(self) -> Response:
        """Sends the request; the answer when its status is 2xx, or else its `Failure` is raised."""
        return self.send().ok()

    def json(self) -> Any:
        """Sends the request; the JSON of the answer when its status is 2xx."""
        return self.checked().json()


@dataclass
class Response:
    """An answer, whole."""

    asked: str
    status: int
    headers: list[wire.Header]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        known = (header.value for header in self.headers if header.name.lower() == name.lower())
        return next(known, None)

    def text(self) -> str:
        return self.body.decode(errors="replace")

    def json(self) -> Any:
        """The body as JSON, whatever the status."""
        try:
            # Given bytes, `json` would look for their encoding, and for modules that aren't there.
            return json.loads(self.body.decode().removeprefix("\ufeff"))
        except ValueError as error:
            message = f"{self.asked} answered {self.status} with something unexpected: {error}: {self._quoted()}"
            raise Failure("failed", message, code="UnexpectedAnswer") from None

    def ok(self) -> Response:
        """The answer again when its status is 2xx."""
        if 200 <= self.status < 300:
            return self
        raise self.failure()

    def failure(self) -> Failure:
        """The failure that this answer is to a step that can't go on with it."""
        after = self.header("retry-after") or ""
        return Failure(
            _kind(self.status),
            f"{self.asked} answered {self.status}: {self._quoted()}",
            code=f"Http{self.status}",
            retry_after=int(after) if re.fullmatch("[0-9]{1,10}", after) else None,
        )

    def _quoted(self) -> str:
        words = " ".join(self.text().split())
        return words if len(words) <= QUOTED else words[:QUOTED] + "…"


def _unanswered(error: wire.Error) -> Failure:
    match error:
        case wire.Error_Denied(why):
            return Failure("unauthorized", why, code="Denied")
        case wire.Error_HeldBack():
            return Failure("failed", "held back: this is a dry run", code="HeldBack")
        case wire.Error_Unreachable(why):
            return Failure("unavailable", why, code="Unreachable")
        case wire.Error_TimedOut(why):
            return Failure("timed-out", why, code="TimedOut")
        case wire.Error_TooLarge(why):
            return Failure("failed", why, code="TooLarge")
        case wire.Error_Malformed(why):
            return Failure("failed", why, code="Malformed")


def _kind(status: int) -> str:
    match status:
        case 401 | 403 | 407:
            return "unauthorized"
        case 404 | 410:
            return "not-found"
        case 409 | 412 | 423:
            return "conflict"
        case 420 | 429:
            return "rate-limited"
        case 408 | 504:
            return "timed-out"
    if 400 <= status < 500:
        return "invalid-input"
    return "unavailable" if 500 <= status < 600 else "failed"
