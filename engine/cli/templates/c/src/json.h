// As much JSON as a step needs: finding values in a document, and writing texts.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

// A part of a document. Where something is not found, `at` is NULL, and nothing is found in that.
typedef struct json {
    const char *at;
    size_t length;
} json;

json json_member(json object, const char *name);
json json_item(json list, size_t index);
// How many items a list has, or an object members.
size_t json_count(json value);

// A string's text; NULL when it is none.
const char *json_text(json value);
bool json_number(json value, double *number);
bool json_bool(json value, bool *truth);
bool json_is_null(json value);

// A text as a JSON string, with its quotation marks.
const char *json_quote(const char *text);

// A text as printf makes it.
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
