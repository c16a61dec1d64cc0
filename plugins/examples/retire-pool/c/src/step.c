// Takes a pool out of a load balancer: the step of docs/plugin.md.
#include "sandbook.h"

// Between two looks, in milliseconds.
#define PAUSE 5000

static bool drain(const step_context_t *context, const char *url) {
    const char *reason = text("run %.*s", (int)context->run.len, (const char *)context->run.ptr);
    struct request request = {
        .method = "POST",
        .url = text("%s/drain", url),
        .slot = "api",
        .repeatable = YES,
        .body = text("{\"reason\": %s}", json_quote(reason)),
    };
    struct response response;
    if (!http_checked(&request, &response))
        return false;

    for (;;) {
        double connections;
        struct request look = {.method = "GET", .url = url, .slot = "api"};
        if (!http_checked(&look, &response))
            return false;
        if (!json_number(json_member(response.body, "connections"), &connections))
            return fail(FAILED, "UnexpectedAnswer", "%s has no `connections`", url);
        if (connections == 0)
            return true;
        const char *open = text("%.0f connections are still open", connections);
        if (remaining(context) < 2 * PAUSE)
            return fail(TIMED_OUT, "StillDraining", "%s", open);
        progress("%s", open);
        wait_for(PAUSE);
    }
}

bool run(const step_context_t *context, json input, struct done *done) {
    const char *pool = json_text(json_member(input, "pool"));
    const char *url = text("https://lb.example.com/v1/pools/%s", url_encode(pool));
    struct response response;
    if (!http_send(&(struct request){.method = "GET", .url = url, .slot = "api"}, &response))
        return false;
    if (response.status == 404) {
        done->data = "{\"connections\": 0}";
        done->summary = text("%s is gone already", pool);
        return true;
    }

    double connections;
    bool locked;
    if (response.status != 200)
        return http_fail(&response);
    if (!json_number(json_member(response.body, "connections"), &connections)
        || !json_bool(json_member(response.body, "locked"), &locked))
        return fail(FAILED, "UnexpectedAnswer", "%s is not what was expected", url);
    if (locked)
        return fail(CONFLICT, "PoolLocked", "%s is locked: unlock it first", pool);

    // What is held back in a dry run isn't waited for; what comes after it is asked for, to be listed.
    if (!drain(context, url) && !was_held_back())
        return false;
    if (!http_checked(&(struct request){.method = "DELETE", .url = url, .slot = "api"}, &response))
        return false;
    done->data = text("{\"connections\": %.0f}", connections);
    done->changed = true;
    done->summary = text("retired %s", pool);
    return true;
}
