// SPDX-License-Identifier: MIT
/* How much room the server's folders have left, where they are on this host, and what grows. */
#include "maintenance/rescue_run.h"

#include "base/machine.h"

#include <errno.h>
#include <string.h>

static void
say_room(struct rescue *rescue, const char *name, const char *folder)
{
    const double gigabyte = 1 << 30;
    struct machine_room room;

    if (!machine_read_room(folder, &room)) {
        rescue_say(rescue, "disk", "unknown", NULL, "%s, %s, cannot be looked at: %s", name, folder,
                   errno == 0 ? "it has no size" : strerror(errno));
        return;
    }
    double left = room.free_bytes / room.size_bytes;
    rescue_say(rescue, "disk",
               left < 0.05  ? "critical"
               : left < 0.1 ? "warning"
                            : "info",
               NULL, "%.1f of %.1f GB are free for %s, %s", room.free_bytes / gigabyte,
               room.size_bytes / gigabyte, name, folder);
}

void
rescue_look_at_disk(struct rescue *rescue)
{
    AUTO_PGRESULT result = NULL;
    struct error fault = {0};

    if (!rescue_link_query(&rescue->link, "maintenance/sql/rescue_space.sql", 0, NULL, &result,
                           &fault)) {
        rescue_say(rescue, "disk", "unknown", NULL, "cannot be looked at: %s", fault.message);
        return;
    }
    const char *folder = pg_value(result, 0, "folder");
    const char *rate = pg_value(result, 0, "wal_rate");
    const char *databases = pg_value(result, 0, "databases");
    if (rescue->is_local && folder != NULL)
        say_room(rescue, "the data", folder);
    if (rate != NULL)
        rescue_say(rescue, "disk", "info", NULL, "WAL grows by %s a second", rate);
    if (databases != NULL)
        rescue_say(rescue, "disk", "info", NULL, "the largest databases: %s", databases);
}
