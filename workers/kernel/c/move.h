/* Weights on their way into lanes: 32 groups side by side, each lane one group. */
#ifndef MOVE_H
#define MOVE_H

#include "lanes.h"

#define SIDE 32 /* groups side by side; a whole number of vectors in every path */

typedef float v4 __attribute__((vector_size(16)));
typedef float unaligned_v4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t v4i __attribute__((vector_size(16)));

INLINE v4 load4(const float *from) { return *(const unaligned_v4 *)from; }
INLINE void store4(float *to, v4 v) { *(unaligned_v4 *)to = v; }

#if defined(__clang__)
#define SHUFFLE4(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
#define SHUFFLE4(a, b, i, j, k, l) __builtin_shuffle(a, b, (v4i){i, j, k, l})
#endif

INLINE void turn4(v4 r[4]) {
    const v4 a = SHUFFLE4(r[0], r[1], 0, 4, 1, 5), b = SHUFFLE4(r[2], r[3], 0, 4, 1, 5);
    const v4 c = SHUFFLE4(r[0], r[1], 2, 6, 3, 7), d = SHUFFLE4(r[2], r[3], 2, 6, 3, 7);
    r[0] = SHUFFLE4(a, b, 0, 1, 4, 5);
    r[1] = SHUFFLE4(a, b, 2, 3, 6, 7);
    r[2] = SHUFFLE4(c, d, 0, 1, 4, 5);
    r[3] = SHUFFLE4(c, d, 2, 3, 6, 7);
}

/* Put `groups` groups of n weights, one after another at x, into lanes: element i of group g comes to to[SIDE*i + g].
 * Lanes without a group get zeros. */
static void into_lanes(const float *restrict x, int groups, int n, float *restrict to) {
    for (int g = 0; g < SIDE; g += 4) {
        v4 r[4];
        for (int i = 0; i < n; i += 4) {
            for (int k = 0; k < 4; k++) r[k] = g + k < groups ? load4(x + (g + k) * n + i) : (v4){0, 0, 0, 0};
            turn4(r);
            for (int k = 0; k < 4; k++) store4(to + SIDE * (i + k) + g, r[k]);
        }
    }
}

/* For each of `rows` rows of n numbers, `stride` apart, the sum of their squares (or of their absolute values) strictly
 * from left to right; n is a multiple of 4. */
static void ordered_sums(const float *x, int rows, int64_t stride, int64_t n, int square, float *out) {
    for (int g = 0; g < rows; g += 8) {
        const float *row[8];
        for (int k = 0; k < 8; k++) row[k] = x + (g + k < rows ? g + k : g) * stride;
        v4 sum[2] = {{0, 0, 0, 0}, {0, 0, 0, 0}};
        for (int64_t i = 0; i < n; i += 4)
            for (int half = 0; half < 2; half++) {
                v4 r[4];
                for (int k = 0; k < 4; k++) {
                    r[k] = load4(row[4 * half + k] + i);
                    r[k] = square ? r[k] * r[k] : (v4)((v4i)r[k] & 0x7fffffff);
                }
                turn4(r);
                for (int k = 0; k < 4; k++) sum[half] += r[k];
            }
        for (int k = 0; k < 8 && g + k < rows; k++) out[g + k] = sum[k / 4][k % 4];
    }
}

#endif
