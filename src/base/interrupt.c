// SPDX-License-Identifier: MIT
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A signal handler can reach nothing but global state. */
static volatile sig_atomic_t caught;
static int wake_pipe[2] = {-1, -1};

static void
on_signal(int signal_number)
{
    int kept = errno;

    caught = signal_number;
    /* The pipe stays readable: later waits end at once. */
    if (write(wake_pipe[1], "!", 1) < 0) {
        /* Full means that it is readable already. */
    }
    errno = kept;
}

void
interrupt_install(void)
{
    struct sigaction action;

    if (wake_pipe[0] >= 0 || pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool
is_interrupted(void)
{
    return caught != 0;
}

int
interrupt_descriptor(void)
{
    return wake_pipe[0];
}

bool
interrupt_error(struct error *err)
{
    return error_set(err, ERROR_INTERRUPTED, "interrupted");
}

bool
interrupt_sleep_ms(int milliseconds, struct error *err)
{
    struct pollfd wait = {.fd = wake_pipe[0], .events = POLLIN};

    if (is_interrupted())
        return interrupt_error(err);
    poll(&wait, 1, milliseconds);
    if (is_interrupted())
        return interrupt_error(err);
    return true;
}
