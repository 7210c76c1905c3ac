/* What a deck says of looking at its servers. Read through deck/deck.h. */
#pragma once
#include <stdint.h>

/* `watch:`: how much worse a server may get after an apply (`apply --watch`), and how often the
 * daemon (`pgdeck watch`) looks. */
struct deck_watch {
    double mean_time;   /* growth of the statements' mean time: 0.3 is by 30 % */
    double errors;      /* growth of the share of transactions that are rolled back */
    int checkpoints;    /* requested ones, more than before */
    int64_t swap_bytes; /* written to the host's swap */
    int sample_ms, statements_ms, history_ms, log_ms;
    int alerts_ms; /* between two looks at the levels of `alerts:` */
    int advice_ms; /* between two runs of `pgdeck index advise` for its page */
};
