/* The weights of a search, in lanes. */
#ifndef IMPORTANCE_H
#define IMPORTANCE_H

#include "move.h"

#define SUPER 256
#define SUPERS (BATCH / SUPER)

/* Importance of each weight times the root of (the mean square of its surroundings + its own square).  `mean` has one
 * number for each group; its groups belong together in runs of `run`. */
INLINE void important(
    const float *x, const float *importance, const float *mean, int run, int groups, int n, float *weights
) {
    float spread[SIDE] ALIGNED;
    into_lanes(importance, groups, n, weights);
    for (int g = 0; g < SIDE; g++) spread[g] = g < groups ? mean[g / run] : 0.0f;
    for (int at = 0; at < SIDE; at += LANES) {
        const vf square = lane_load(spread + at);
        for (int i = 0; i < n; i++) {
            const vf value = lane_load(x + SIDE * i + at), given = lane_load(weights + SIDE * i + at);
            lane_store(weights + SIDE * i + at, given * lane_sqrt(square + value * value));
        }
    }
}

/* The sum of a group's weights from left to right. */
INLINE void sums_of_weights(const float *weights, int n, float *sums) {
    for (int at = 0; at < SIDE; at += LANES) {
        vf sum = lane_set(0.0f);
        for (int i = 0; i < n; i++) sum += lane_load(weights + SIDE * i + at);
        lane_store(sums + at, sum);
    }
}

/* The sum of squares of every `size` weights times two factors, one after the other: the first may overflow. */
INLINE void mean_squares(const struct batch *batch, int size, float factor, float share, float *mean) {
    const int count = batch->count / size;
    ordered_sums(batch->x, count, size, size, 1, mean);
    for (int i = 0; i < count; i++) mean[i] = mean[i] * factor * share;
}

#endif
