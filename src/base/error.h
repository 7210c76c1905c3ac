/* One error: set once where the fault is found, given more context on the way up, printed only
 * by cli/ and the daemons' loops. Lives on the caller's stack; owns nothing.
 * Any thread; an error object belongs to one thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, first_at)                                                           \
    __attribute__((format(printf, format_at, first_at), nonnull(format_at)))

/* What kind of fault; each kind has its own exit status (error_exit_status). */
enum error_code {
    ERROR_NONE,
    ERROR_INTERNAL,        /* 1: anything without a kind of its own */
    ERROR_DECK,            /* 10: the deck does not parse or does not hold together */
    ERROR_UNREACHABLE,     /* 11: no server there, or it refuses connections */
    ERROR_AUTHENTICATION,  /* 12: wrong password, no such role, refused by pg_hba */
    ERROR_NO_DATABASE,     /* 13: the database does not exist */
    ERROR_SERVER_VERSION,  /* 14: the server is older than PostgreSQL 14 */
    ERROR_PRIVILEGE,       /* 15: the role may not do that */
    ERROR_DISK_FULL,       /* 16: no space left, here or on the server */
    ERROR_LOCKED,          /* 17: another apply holds the lock, or a lock_timeout ran out */
    ERROR_CONNECTION_LOST, /* 18: the server went away in the middle */
    ERROR_STALE_PLAN,      /* 19: the server is no longer what the plan was made for */
    ERROR_SQL,             /* 20: the server refused a statement */
    ERROR_FILE,            /* 21: a file cannot be read or written */
    ERROR_REFUSED,         /* 22: not done without a flag that the user did not give */
    ERROR_TAKEN_BACK,      /* 23: it was done and made things worse, so it was undone */
    ERROR_GATE,            /* 24: a benchmark is worse than the gate allows */
    ERROR_USAGE,           /* 64: bad command line */
    ERROR_INTERRUPTED,     /* 130: Ctrl-C or SIGTERM */
};

/* Where in the user's files; line and column count from 1, 0 = unknown. file lives as long as
 * the arena that it was loaded into, and error copies it. */
struct place {
    const char *file;
    int line;
    int column;
};

struct error {
    enum error_code code;
    char sqlstate[6];
    char message[1024];
    char detail[1024];
    char hint[512];
    char file[256];
    int line;
    int column;
};

/* Sets code and message; returns false, so that a function can `return error_set(...)`. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Adds to an error already set; all return false. */
bool error_detail(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
bool error_hint(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
bool error_place(struct error *err, struct place place);
/* Puts "context: " in front of the message. */
bool error_wrap(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
/* Like error_set with ": strerror(errno)"; ENOSPC and EDQUOT become ERROR_DISK_FULL. */
bool error_errno(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_clear(struct error *err);
int error_exit_status(enum error_code code);

#if defined(__clang_analyzer__) && !defined(ERROR_IMPLEMENTATION)
/* The analyzer sees one file at a time, and so not that these return false. */
#define ERROR_IS_FALSE(call)                                                                       \
    (__extension__({                                                                               \
        (void)(call);                                                                              \
        false;                                                                                     \
    }))
#define error_set(...) ERROR_IS_FALSE((error_set)(__VA_ARGS__))
#define error_detail(...) ERROR_IS_FALSE((error_detail)(__VA_ARGS__))
#define error_hint(...) ERROR_IS_FALSE((error_hint)(__VA_ARGS__))
#define error_place(...) ERROR_IS_FALSE((error_place)(__VA_ARGS__))
#define error_wrap(...) ERROR_IS_FALSE((error_wrap)(__VA_ARGS__))
#define error_errno(...) ERROR_IS_FALSE((error_errno)(__VA_ARGS__))
#endif
