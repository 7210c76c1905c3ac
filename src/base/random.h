/* Random numbers that come out the same for the same seed, on every machine (SplitMix64, after
 * Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Not for
 * secrets. The whole state is one number: `struct random random = {seed};` One thread. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t
random_bits(struct random *random)
{
    uint64_t bits = random->state += UINT64_C(0x9e3779b97f4a7c15);

    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

/* Evenly from 0 to count - 1; count > 0, below 2^32 (the bias is then under 2^-32). */
static inline size_t
random_below(struct random *random, size_t count)
{
    return (size_t)(((random_bits(random) >> 32) * (uint64_t)count) >> 32);
}
