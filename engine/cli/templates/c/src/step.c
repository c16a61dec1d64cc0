// The step: reads a page's title.
#include "sandbook.h"

bool run(const step_context_t *context, json input, struct done *done) {
    (void)context; // the run's id, the attempt, the deadline, whether this is a dry run
    const char *url = json_text(json_member(input, "url"));
    if (url == NULL)
        return fail(INVALID_INPUT, "InputMismatch", "`url` is missing or no text");

    struct request request = {.method = "GET", .url = url, .slot = "api", .slot_is_optional = true};
    struct response response;
    if (!http_checked(&request, &response))
        return false;

    const char *title = json_text(json_member(response.body, "title"));
    if (title == NULL)
        return fail(FAILED, "UnexpectedAnswer", "%s has no title", url);
    done->data = text("{\"title\": %s}", json_quote(title));
    done->summary = "read the title";
    return true;
}
