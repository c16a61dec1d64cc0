// As much JSON as a step needs: finding values in a document, and writing texts.
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A part of a document. Where something is not found, `at` is NULL, and nothing is found in that.
typedef struct json {
    const char *at;
    size_t length;
} json;

json json_member(json object, const char *name);
// An item by its index, found by counting from the first one.
json json_item(json list, size_t index);
// The item behind another one, for all in turn:
// for (json item = json_item(list, 0); item.at != NULL; item = json_next(list, item))
json json_next(json list, json item);
// How many items a list has, or an object members.
size_t json_count(json value);

// A string's text; NULL when it is none, and for one with the character U+0000, which a text of C's can't have.
const char *json_text(json value);
// False for what is no number or too large for a double, which holds whole numbers up to 2^53.
bool json_number(json value, double *number);
// False for what has a fraction or an exponent, or is too large.
bool json_integer(json value, int64_t *integer);
bool json_bool(json value, bool *truth);
bool json_is_null(json value);

// A text as a JSON string, with its quotation marks.
const char *json_quote(const char *text);

// A text in which each byte that is no UTF-8 is replaced by U+FFFD. The helper does so with all that it tells the engine.
const char *utf8(const char *text);

// A text as printf makes it.
const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
