// SPDX-License-Identifier: MIT
#include "change/name.h"

#include <string.h>
#include <xxhash.h>

const char *
change_name(struct arena *arena, const char *base, const char *suffix)
{
    enum { HASH_BYTES = 7 }; /* "_1a2b3c" */
    size_t base_bytes = strlen(base);
    size_t suffix_bytes = strlen(suffix);

    if (base_bytes + suffix_bytes <= CHANGE_NAME_MAX_BYTES)
        return arena_printf(arena, "%s%s", base, suffix);
    if (suffix_bytes > CHANGE_NAME_MAX_BYTES / 2)
        return change_name(arena, arena_printf(arena, "%s%s", base, suffix), "");
    size_t kept = CHANGE_NAME_MAX_BYTES - HASH_BYTES - suffix_bytes;
    while (kept > 0 && ((unsigned char)base[kept] & 0xC0) == 0x80)
        kept--;
    unsigned hash = (unsigned)(XXH3_64bits(base, base_bytes) & 0xFFFFFF);
    return arena_printf(arena, "%.*s_%06x%s", (int)kept, base, hash, suffix);
}

const char *
change_hash(struct arena *arena, const char *text)
{
    return arena_printf(arena, "%016llx", (unsigned long long)XXH3_64bits(text, strlen(text)));
}
