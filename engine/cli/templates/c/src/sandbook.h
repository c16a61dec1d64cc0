// The contract, made convenient: what a step is, failures, HTTP, log lines, JSON.
//
// A step is called once in a fresh memory that is thrown away afterwards, so nothing here is ever freed.
#ifndef SANDBOOK_H
#define SANDBOOK_H

#include "json.h"
#include "step.h" // made by wit-bindgen from wit/

// What a step that succeeded has to say.
struct done {
    const char *data;    // the outputs, a JSON object; unsaid, `{}`
    bool changed;        // whether anything in the world is different from before
    const char *summary; // what was done, in one line
};

// The step itself, in step.c. It returns true, or what one of the `fail` functions returns.
bool run(const step_context_t *context, json input, struct done *done);

// Why a step failed. The first four are not tried again, the others are.
enum kind { INVALID_INPUT, UNAUTHORIZED, NOT_FOUND, CONFLICT, RATE_LIMITED, UNAVAILABLE, TIMED_OUT, FAILED };

// Notes why the step fails, in place of what was noted before, and returns false, to be returned by `run`. `code` is a name for
// machines, or NULL.
bool fail(enum kind kind, const char *code, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Whether what failed last is a request that was held back: this is a dry run, and it could have changed something. A step that
// goes on shows what it would ask for next.
bool was_held_back(void);

// Says that all that was sent so far is known to have had no effect: the next attempt sends it anew. After `fail`,
// which begins without.
void start_over(void);

struct header {
    const char *name, *value;
};

enum repeatable { BY_METHOD, YES, NO };

// A request. What is not set is left out.
struct request {
    const char *method, *url;
    const struct header *headers;
    size_t header_count;
    const char *body;           // adds the content type application/json
    const char *slot;           // the credential that the engine authenticates the request with
    bool slot_is_optional;      // without a credential bound to it, the request goes without
    enum repeatable repeatable; // whether sending it twice is as harmless as sending it once
    uint64_t timeout;           // in milliseconds
};

struct response {
    const char *asked; // method and URL without its query, for messages
    uint16_t status;
    sandbook_step_http_list_header_t headers;
    json body; // whatever it is; json_member and the others find nothing in what is not JSON
};

// Sends a request and waits for the answer, whatever its status. False: there is none, and `fail` was called.
bool http_send(const struct request *request, struct response *response);

// The same, and false for an answer that is not 2xx: `fail` was called with the kind that belongs to it.
bool http_checked(const struct request *request, struct response *response);

// A header field of an answer, in any case; NULL where there is none.
const char *http_header(const struct response *response, const char *name);

// Fails with an answer that the step can't go on with: the kind by its status, and the start of its body.
bool http_fail(const struct response *response);

// Percent-encodes a text, so that it stays one segment of a path or one value of a query.
const char *url_encode(const char *part);

void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Replaces what is shown beside the step while it runs.
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

// Waits so many milliseconds.
void wait_for(uint64_t milliseconds);

// What is left of the attempt's time, in milliseconds. A step that waits for something should give up a little before.
uint64_t remaining(const step_context_t *context);

#endif
