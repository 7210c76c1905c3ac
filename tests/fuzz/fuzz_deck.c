// SPDX-License-Identifier: MIT
/* Whatever is in a deck or its SQL files: faults, never a crash. The first byte says what the rest
 * is: 'S' a schema file, 'I' a file of indexes, 'O' a --set over a small deck, else a deck. */
#include "base/arena.h"
#include "deck/deck.h"
#include "deck/sql.h"
#include "settings/check_deck.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_faults(const struct deck_faults *faults)
{
    for (size_t i = 0; i < faults->list.count; i++) {
        assert(faults->list.items[i].code != ERROR_NONE);
        assert(faults->list.items[i].message[0] != '\0');
    }
}

static void
load(struct arena *arena, const char *text, size_t length, const char *const *sets,
     size_t set_count)
{
    struct deck_faults faults = {0};
    char path[64];
    int fd = memfd_create("deck", MFD_CLOEXEC);

    if (fd < 0 || write(fd, text, length) != (ssize_t)length) {
        perror("memfd_create");
        _exit(1);
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const struct deck *deck =
        deck_load_checked(arena, path, sets, set_count, settings_check_deck, &faults);
    assert((deck == NULL) == (faults.list.count > 0));
    check_faults(&faults);
    close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char deck[] = "deck: d\n"
                               "servers: {main: {conninfo: host=/run}}\n"
                               "environments: {dev: {server: main}}\n"
                               "databases: {app: {environment: dev}}\n"
                               "partitions: [{table: t, range: at, every: 1 day}]\n";
    AUTO_ARENA arena = arena_new();
    struct deck_faults faults = {0};

    if (size == 0)
        return 0;
    char *text = arena_strndup(arena, (const char *)data + 1, size - 1);
    if (data[0] == 'S' || data[0] == 'I') {
        deck_sql_read(arena, "x.sql", text, size - 1, data[0] == 'I', &faults);
        check_faults(&faults);
    } else if (data[0] == 'O') {
        load(arena, deck, strlen(deck), (const char *const *)&text, 1);
    } else {
        load(arena, (const char *)data, size, NULL, 0);
    }
    return 0;
}
