// SPDX-License-Identifier: MIT
#include "base/json_text.h"

#include "base/text.h"

#include <string.h>

json_t *
json_text(const char *text)
{
    if (text == NULL)
        return json_null();
    size_t length = strlen(text);
    size_t valid = text_utf8_length(text, length);
    if (valid == length)
        return json_stringn_nocheck(text, length);
    AUTO_TEXT whole = {0};
    while (valid < length) {
        text_append_bytes(&whole, text, valid);
        text_append(&whole, "?");
        text += valid + 1;
        length -= valid + 1;
        valid = text_utf8_length(text, length);
    }
    text_append_bytes(&whole, text, valid);
    return json_stringn_nocheck(text_chars(&whole), whole.length);
}
