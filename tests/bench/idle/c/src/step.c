// A step that does nothing.
#include "sandbook.h"

bool run(const step_context_t *context, json input, struct done *done) {
    (void)context;
    (void)input;
    (void)done;
    return true;
}
