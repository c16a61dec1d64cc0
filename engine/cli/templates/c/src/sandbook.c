#include "sandbook.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

// What a message quotes of a body, in bytes.
#define QUOTED 300

static step_failure_t failed;

// What a format makes, for as long as the step runs.
static char *made(const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    return text;
}

// A text for the engine, which takes nothing but UTF-8.
static void tell(step_string_t *to, const char *text) { step_string_set(to, utf8(text)); }

static const char *copied(step_string_t from) { return text("%.*s", (int)from.len, (const char *)from.ptr); }

bool fail(enum kind kind, const char *code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *message = made(format, arguments);
    va_end(arguments);
    // Nothing stays of a failure that the step went on after.
    failed = (step_failure_t){.kind = (uint8_t)kind, .code.is_some = code != NULL};
    tell(&failed.message, message);
    if (code != NULL)
        tell(&failed.code.val, code);
    return false;
}

bool was_held_back(void) {
    static const char code[] = "HeldBack";
    step_string_t known = failed.code.val;
    return failed.code.is_some && known.len == strlen(code) && memcmp(known.ptr, code, known.len) == 0;
}

void start_over(void) { failed.start_over = true; }

bool step_run(step_context_t *context, step_json_t *input, step_output_t *output, step_failure_t *failure) {
    struct done done = {.data = "{}", .summary = ""};
    fail(FAILED, NULL, "the step failed and did not say why");
    bool succeeded = run(context, (json){(const char *)input->ptr, input->len}, &done);
    // A line that printf has not ended yet.
    fflush(NULL);
    // What is returned is freed by the bindings, so it can't be a literal.
    if (succeeded) {
        step_string_dup(&output->data, utf8(done.data));
        step_string_dup(&output->summary, utf8(done.summary));
        output->changed = done.changed;
    } else {
        *failure = failed;
        step_string_dup_n(&failure->message, (const char *)failed.message.ptr, failed.message.len);
        if (failed.code.is_some)
            step_string_dup_n(&failure->code.val, (const char *)failed.code.val.ptr, failed.code.val.len);
    }
    return succeeded;
}

static bool no_answer(sandbook_step_http_error_t error) {
    switch (error.tag) {
    case SANDBOOK_STEP_HTTP_ERROR_DENIED:
        return fail(UNAUTHORIZED, "Denied", "%s", copied(error.val.denied));
    case SANDBOOK_STEP_HTTP_ERROR_HELD_BACK:
        return fail(FAILED, "HeldBack", "held back: this is a dry run");
    case SANDBOOK_STEP_HTTP_ERROR_UNREACHABLE:
        return fail(UNAVAILABLE, "Unreachable", "%s", copied(error.val.unreachable));
    case SANDBOOK_STEP_HTTP_ERROR_TIMED_OUT:
        return fail(TIMED_OUT, "TimedOut", "%s", copied(error.val.timed_out));
    case SANDBOOK_STEP_HTTP_ERROR_TOO_LARGE:
        return fail(FAILED, "TooLarge", "%s", copied(error.val.too_large));
    default:
        return fail(FAILED, "Malformed", "%s", copied(error.val.malformed));
    }
}

static sandbook_step_http_header_t *header_list(const struct request *request, size_t *count) {
    sandbook_step_http_header_t *list = calloc(request->header_count + 1, sizeof *list);
    if (list == NULL)
        abort();
    for (*count = 0; *count < request->header_count; ++*count) {
        tell(&list[*count].name, request->headers[*count].name);
        tell(&list[*count].value, request->headers[*count].value);
    }
    if (request->body != NULL) {
        tell(&list[*count].name, "content-type");
        tell(&list[(*count)++].value, "application/json");
    }
    return list;
}

bool http_send(const struct request *request, struct response *response) {
    sandbook_step_http_request_t outgoing = {0};
    tell(&outgoing.method, request->method);
    tell(&outgoing.url, request->url);
    outgoing.headers.ptr = header_list(request, &outgoing.headers.len);
    if (request->body != NULL) {
        outgoing.body.is_some = true;
        outgoing.body.val.ptr = (uint8_t *)request->body;
        outgoing.body.val.len = strlen(request->body);
    }
    outgoing.repeatable.is_some = request->repeatable != BY_METHOD;
    outgoing.repeatable.val = request->repeatable == YES;
    outgoing.timeout.is_some = request->timeout != 0;
    outgoing.timeout.val = request->timeout;

    sandbook_step_secrets_own_credential_t credential;
    sandbook_step_http_borrow_credential_t lent, *maybe = NULL;
    if (request->slot != NULL) {
        step_string_t slot;
        sandbook_step_secrets_error_t unknown;
        tell(&slot, request->slot);
        if (sandbook_step_secrets_open(&slot, &credential, &unknown)) {
            lent = sandbook_step_secrets_borrow_credential(credential);
            maybe = &lent;
        } else if (!request->slot_is_optional) {
            return fail(UNAUTHORIZED, "SlotUnbound",
                        "the runbook binds no credential to the slot `%s`; add `credentials: { %s: NAME }` to the step",
                        request->slot, request->slot);
        }
    }
    sandbook_step_http_response_t answer;
    sandbook_step_http_error_t error;
    bool answered = sandbook_step_http_send(&outgoing, maybe, &answer, &error);
    if (maybe != NULL)
        sandbook_step_secrets_credential_drop_own(credential);
    if (!answered)
        return no_answer(error);
    *response = (struct response){
        .asked = text("%s %.*s", request->method, (int)strcspn(request->url, "?#"), request->url),
        .status = answer.status,
        .headers = answer.headers,
        .body = {(const char *)answer.body.ptr, answer.body.len},
    };
    return true;
}

bool http_checked(const struct request *request, struct response *response) {
    if (!http_send(request, response))
        return false;
    return response->status / 100 == 2 || http_fail(response);
}

const char *http_header(const struct response *response, const char *name) {
    for (size_t at = 0; at < response->headers.len; at++) {
        step_string_t known = response->headers.ptr[at].name;
        if (known.len == strlen(name) && strncasecmp((const char *)known.ptr, name, known.len) == 0)
            return copied(response->headers.ptr[at].value);
    }
    return NULL;
}

static enum kind kind_of(uint16_t status) {
    switch (status) {
    case 401: case 403: case 407: return UNAUTHORIZED;
    case 404: case 410: return NOT_FOUND;
    case 409: case 412: case 423: return CONFLICT;
    case 420: case 429: return RATE_LIMITED;
    case 408: case 504: return TIMED_OUT;
    default: return status / 100 == 4 ? INVALID_INPUT : status / 100 == 5 ? UNAVAILABLE : FAILED;
    }
}

// What `Retry-After` says in seconds; more than ten digits are no time that anybody waits.
static bool seconds_of(const char *value, uint64_t *seconds) {
    size_t digits = value == NULL ? 0 : strspn(value, "0123456789");
    if (digits == 0 || digits > 10 || value[digits] != '\0')
        return false;
    *seconds = strtoull(value, NULL, 10);
    return true;
}

bool http_fail(const struct response *response) {
    size_t quoted = response->body.length < QUOTED ? response->body.length : QUOTED;
    // Not through the middle of a character.
    while (quoted > 0 && quoted < response->body.length && ((unsigned char)response->body.at[quoted] & 0xc0) == 0x80)
        quoted--;
    fail(kind_of(response->status), text("Http%u", response->status), "%s answered %u: %.*s", response->asked,
         response->status, (int)quoted, response->body.at == NULL ? "" : response->body.at);
    uint64_t seconds;
    if (seconds_of(http_header(response, "retry-after"), &seconds)) {
        failed.retry_after.is_some = true;
        failed.retry_after.val = seconds * 1000;
    }
    return false;
}

const char *url_encode(const char *part) {
    char *start = malloc(strlen(part) * 3 + 1), *out = start;
    if (start == NULL)
        abort();
    for (; *part != '\0'; part++) {
        unsigned char byte = (unsigned char)*part;
        bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z')
                        || strchr("-._~", byte) != NULL;
        if (is_plain)
            *out++ = (char)byte;
        else
            out += snprintf(out, 4, "%%%02X", byte);
    }
    *out = '\0';
    return start;
}

// A message of several lines is as many lines.
static void write_log(sandbook_step_log_level_t level, const char *format, va_list arguments) {
    char *rest = made(format, arguments), *at;
    do {
        step_string_t line;
        at = strsep(&rest, "\n");
        tell(&line, at);
        sandbook_step_log_write(level, &line);
    } while (rest != NULL && *rest != '\0');
}

void log_info(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_log(SANDBOOK_STEP_LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_warn(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_log(SANDBOOK_STEP_LOG_LEVEL_WARN, format, arguments);
    va_end(arguments);
}

void progress(const char *format, ...) {
    va_list arguments;
    step_string_t line;
    va_start(arguments, format);
    tell(&line, made(format, arguments));
    va_end(arguments);
    sandbook_step_progress_report(&line, NULL);
}

void wait_for(uint64_t milliseconds) { sandbook_step_timer_sleep(milliseconds); }

uint64_t remaining(const step_context_t *context) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t passed = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return context->deadline > passed ? context->deadline - passed : 0;
}
