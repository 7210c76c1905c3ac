// SPDX-License-Identifier: MIT
/* Gives every file of the folders named to the fuzzer's function, once. */
#include "base/file.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
replay(const char *folder)
{
    DIR *listing = opendir(folder);
    int count = 0;

    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;) {
        AUTO_ARENA arena = arena_new();
        struct error err;
        char *text;
        size_t length;
        if (entry->d_name[0] == '.' || entry->d_type == DT_DIR)
            continue;
        if (!file_read(arena, arena_printf(arena, "%s/%s", folder, entry->d_name), &text, &length,
                       &err))
            continue;
        LLVMFuzzerTestOneInput((const uint8_t *)text, length);
        count++;
    }
    if (listing != NULL)
        closedir(listing);
    return count;
}

int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        printf("%s: %d files\n", argv[i], count);
        if (count == 0)
            return 1;
    }
    return argc > 1 ? 0 : 1;
}
