#include "json.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const json nothing = {NULL, 0};

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static const char *skip_blanks(const char *at, const char *end) {
    while (at < end && is_blank(*at))
        at++;
    return at;
}

// Behind a string's closing mark, or NULL.
static const char *skip_string(const char *at, const char *end) {
    for (at++; at < end; at++) {
        if (*at == '\\')
            at++;
        else if (*at == '"')
            return at + 1;
    }
    return NULL;
}

// Behind a value, or NULL. Brackets are counted, so that a document's depth costs nothing.
static const char *skip_value(const char *at, const char *end) {
    size_t depth = 0;
    while (at < end) {
        if (*at == '"') {
            at = skip_string(at, end);
            if (at == NULL)
                return NULL;
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth == 0)
                return at;
            depth--;
            at++;
        } else if (depth == 0 && (*at == ',' || *at == ':')) {
            return at;
        } else {
            at++;
            continue;
        }
        if (depth == 0)
            return at;
    }
    return depth == 0 ? at : NULL;
}

// A value without the blanks around it.
static json trimmed(json value) {
    if (value.at == NULL)
        return nothing;
    const char *end = value.at + value.length, *at = skip_blanks(value.at, end);
    while (end > at && is_blank(end[-1]))
        end--;
    return end > at ? (json){at, (size_t)(end - at)} : nothing;
}

static json value_at(const char *at, const char *end) {
    const char *behind = skip_value(skip_blanks(at, end), end);
    return behind == NULL ? nothing : trimmed((json){at, (size_t)(behind - at)});
}

// Where the parts of a list or an object begin; NULL when it is neither.
static const char *inside(json value, char bracket, const char **end) {
    if (value.at == NULL)
        return NULL;
    *end = value.at + value.length;
    const char *at = skip_blanks(value.at, *end);
    return at < *end && *at == bracket ? at + 1 : NULL;
}

// Steps over a value and the comma behind it; NULL at the end.
static const char *next(const char *at, const char *end) {
    at = skip_value(skip_blanks(at, end), end);
    if (at == NULL)
        return NULL;
    at = skip_blanks(at, end);
    return at < end && *at == ',' ? at + 1 : NULL;
}

json json_member(json object, const char *name) {
    const char *end, *at = inside(object, '{', &end);
    while (at != NULL) {
        at = skip_blanks(at, end);
        if (at >= end || *at != '"')
            return nothing;
        const char *behind = skip_string(at, end);
        if (behind == NULL)
            return nothing;
        const char *known = json_text((json){at, (size_t)(behind - at)});
        at = skip_blanks(behind, end);
        if (at >= end || *at != ':')
            return nothing;
        at++;
        if (known != NULL && strcmp(known, name) == 0)
            return value_at(at, end);
        at = next(at, end);
    }
    return nothing;
}

json json_item(json list, size_t index) {
    const char *end, *at = inside(list, '[', &end);
    for (; at != NULL && index > 0; index--)
        at = next(at, end);
    return at == NULL ? nothing : value_at(at, end);
}

json json_next(json list, json item) {
    if (item.at == NULL)
        return nothing;
    const char *end = list.at + list.length;
    const char *at = skip_blanks(item.at + item.length, end);
    return at < end && *at == ',' ? value_at(at + 1, end) : nothing;
}

size_t json_count(json value) {
    const char *end;
    bool is_object = false;
    const char *at = inside(value, '[', &end);
    if (at == NULL) {
        at = inside(value, '{', &end);
        is_object = true;
    }
    if (at == NULL || value_at(at, end).at == NULL)
        return 0;
    size_t count = 0;
    while (at != NULL) {
        count++;
        if (is_object) {
            at = skip_string(skip_blanks(at, end), end);
            at = at == NULL ? NULL : skip_blanks(at, end) + 1;
        }
        at = at == NULL ? NULL : next(at, end);
    }
    return count;
}

// The four digits behind `\u`, or -1.
static long code_unit(const char *at, const char *end) {
    long unit = 0;
    if (end - at < 4)
        return -1;
    for (int digit = 0; digit < 4; digit++) {
        const char *known = "0123456789abcdefABCDEF", *found = memchr(known, at[digit], 22);
        if (found == NULL)
            return -1;
        long value = found - known;
        unit = unit * 16 + (value < 16 ? value : value - 6);
    }
    return unit;
}

static char *put_utf8(char *out, long point) {
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xc0 | point >> 6);
        *out++ = (char)(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        *out++ = (char)(0xe0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 0x3f));
        *out++ = (char)(0x80 | (point & 0x3f));
    } else {
        *out++ = (char)(0xf0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 0x3f));
        *out++ = (char)(0x80 | (point >> 6 & 0x3f));
        *out++ = (char)(0x80 | (point & 0x3f));
    }
    return out;
}

const char *json_text(json value) {
    value = trimmed(value);
    if (value.length < 2 || *value.at != '"' || value.at[value.length - 1] != '"')
        return NULL;
    const char *at = value.at + 1, *end = value.at + value.length - 1;
    char *start = malloc(value.length), *out = start; // no escape is shorter than what it stands for
    if (start == NULL)
        abort();
    while (at < end) {
        if ((unsigned char)*at < 0x20 || *at == '"')
            return NULL;
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        at++;
        const char *plain = "\"\\/bfnrt", *means = "\"\\/\b\f\n\r\t";
        const char *found = at < end ? memchr(plain, *at, 8) : NULL;
        if (found != NULL) {
            *out++ = means[found - plain];
            at++;
            continue;
        }
        long point = at < end && *at == 'u' ? code_unit(at + 1, end) : -1;
        if (point <= 0) // no escape, or the character that would end the text here
            return NULL;
        at += 5;
        if (point >= 0xd800 && point < 0xe000) {
            bool more = point < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u';
            long low = more ? code_unit(at + 2, end) : -1;
            bool is_pair = low >= 0xdc00 && low < 0xe000;
            // Half a character is none: U+FFFD stands for it.
            point = is_pair ? 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
            at += is_pair ? 6 : 0;
        }
        out = put_utf8(out, point);
    }
    *out = '\0';
    return start;
}

// Steps over digits; NULL when there are none.
static const char *skip_digits(const char *at) {
    size_t count = strspn(at, "0123456789");
    return count == 0 ? NULL : at + count;
}

// A number's text, and whether it has no fraction and no exponent; NULL for what JSON doesn't call a number.
static const char *number_text(json value, bool *is_whole) {
    value = trimmed(value);
    if (value.at == NULL)
        return NULL;
    const char *start = text("%.*s", (int)value.length, value.at), *at = start;
    if (*at == '-')
        at++;
    at = *at == '0' ? at + 1 : skip_digits(at);
    *is_whole = at != NULL && *at == '\0';
    if (at != NULL && *at == '.')
        at = skip_digits(at + 1);
    if (at != NULL && (*at == 'e' || *at == 'E')) {
        at++;
        at = skip_digits(*at == '+' || *at == '-' ? at + 1 : at);
    }
    return at == NULL || at != start + value.length ? NULL : start;
}

bool json_number(json value, double *number) {
    bool is_whole;
    const char *digits = number_text(value, &is_whole);
    if (digits == NULL)
        return false;
    *number = strtod(digits, NULL);
    return isfinite(*number);
}

bool json_integer(json value, int64_t *integer) {
    bool is_whole;
    const char *digits = number_text(value, &is_whole);
    if (digits == NULL || !is_whole)
        return false;
    errno = 0;
    *integer = strtoll(digits, NULL, 10);
    return errno == 0;
}

static bool is_word(json value, const char *word) {
    value = trimmed(value);
    return value.length == strlen(word) && memcmp(value.at, word, value.length) == 0;
}

bool json_bool(json value, bool *truth) {
    *truth = is_word(value, "true");
    return *truth || is_word(value, "false");
}

bool json_is_null(json value) { return is_word(value, "null"); }

// How long the character is that begins there; 0 for a byte that begins none.
static size_t character_length(const unsigned char *at) {
    static const long least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = *at < 0x80 ? 1 : *at < 0xc0 ? 0 : *at < 0xe0 ? 2 : *at < 0xf0 ? 3 : *at < 0xf8 ? 4 : 0;
    long point = length > 1 ? *at & (0x7f >> length) : *at;
    for (size_t more = 1; more < length; more++) {
        if ((at[more] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (at[more] & 0x3f);
    }
    bool is_one = point >= least[length] && point < 0x110000 && (point < 0xd800 || point > 0xdfff);
    return is_one ? length : 0;
}

const char *utf8(const char *from) {
    char *start = malloc(strlen(from) * 3 + 1), *out = start;
    if (start == NULL)
        abort();
    while (*from != '\0') {
        size_t length = character_length((const unsigned char *)from);
        if (length == 0) {
            out = put_utf8(out, 0xfffd);
            from++;
        }
        for (; length > 0; length--)
            *out++ = *from++;
    }
    *out = '\0';
    return start;
}

const char *json_quote(const char *from) {
    from = utf8(from);
    char *start = malloc(strlen(from) * 6 + 3), *out = start;
    if (start == NULL)
        abort();
    *out++ = '"';
    for (; *from != '\0'; from++) {
        if (*from == '"' || *from == '\\') {
            *out++ = '\\';
            *out++ = *from;
        } else if ((unsigned char)*from < 0x20) {
            out += snprintf(out, 7, "\\u%04x", (unsigned char)*from);
        } else {
            *out++ = *from;
        }
    }
    *out++ = '"';
    *out = '\0';
    return start;
}

const char *text(const char *format, ...) {
    va_list arguments;
    char *made = NULL;
    va_start(arguments, format);
    int length = vasprintf(&made, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    return made;
}
