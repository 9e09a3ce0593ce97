/* The search for one scale of several numbers that are mostly not negative: the scales of a super-block, or its minima.
 *
 * Super-blocks lie side by side in lanes.  Some odd steps are the reference's own: codes are bytes that wrap around,
 * and the first guess is not held below `most`.
 */
#ifndef SEARCH_POSITIVE_H
#define SEARCH_POSITIVE_H

#include "lanes.h"

#define NOTHING 1e-15f /* a group smaller than this has only zeros */

INLINE vi positive_code(vf scaled, int most) {
    return lane_int_min(lane_nearest(scaled), lane_set_int(most));
}

/* x and w have one row of LANES for each of n numbers, `stride` floats apart; codes get the winner's bytes. */
INLINE vf search_positive(const float *x, const float *w, int n, int stride, int most, vi *codes) {
    const vf zero = lane_set(0.0f), one = lane_set(1.0f), top = lane_set((float)most);
    vf max = zero;
    for (int i = 0; i < n; i++) max = lane_max(max, lane_load(x + stride * i));
    const vm nothing = lane_less(max, lane_set(NOTHING));
    const vf safe = lane_select(nothing, one, max);
    vf inverse = top / safe;
    vf scale = one / inverse, error = zero;
    for (int i = 0; i < n; i++) {
        const vf value = lane_load(x + stride * i);
        const vf off = value - scale * lane_from_int(lane_nearest(inverse * value) & lane_set_int(255));
        error += lane_load(w + stride * i) * off * off;
    }
    for (int step = -4; step <= 4; step++) {
        if (step == 0) continue;
        const vf tried = lane_set(0.1f * (float)step + (float)most) / safe;
        scale = one / tried;
        vf sum = zero;
        for (int i = 0; i < n; i++) {
            const vf value = lane_load(x + stride * i);
            const vf off = value - scale * lane_from_int(positive_code(tried * value, most));
            sum += lane_load(w + stride * i) * off * off;
        }
        const vm better = lane_less(sum, error);
        error = lane_select(better, sum, error);
        inverse = lane_select(better, tried, inverse);
    }
    vf sum_lx = zero, sum_l2 = zero;
    for (int i = 0; i < n; i++) {
        const vf value = lane_load(x + stride * i), weight = lane_load(w + stride * i);
        const vi code = positive_code(inverse * value, most);
        codes[i] = code & lane_set_int(255);
        const vf l = lane_from_int(code);
        sum_lx += weight * value * l;
        sum_l2 += weight * l * l;
    }
    for (int round = 0; round < 5; round++) {
        int changed = 0;
        for (int i = 0; i < n; i++) {
            const vf value = lane_load(x + stride * i), weight = lane_load(w + stride * i);
            const vf old = lane_from_int(codes[i]);
            vf lx = sum_lx - weight * value * old;
            vf l2 = sum_l2 - weight * old * old;
            const vm open = lane_both(lane_less(zero, lx), lane_less(zero, l2));
            const vi code = positive_code(value * l2 / lx, most);
            const vf l = lane_from_int(code);
            lx += weight * value * l;
            l2 += weight * l * l;
            const vm moved = lane_both(open, lane_not(lane_equal(l, old)));
            const vm better = lane_both(moved, lane_less(sum_lx * sum_lx * l2, lx * lx * sum_l2));
            const vf kept = lane_from_int(code & lane_set_int(255));
            codes[i] = __builtin_convertvector(lane_select(better, kept, old), vi);
            sum_lx = lane_select(better, lx, sum_lx);
            sum_l2 = lane_select(better, l2, sum_l2);
            changed |= lane_any(better);
        }
        if (!changed) break;
    }
    for (int i = 0; i < n; i++)
        codes[i] = __builtin_convertvector(lane_select(nothing, zero, lane_from_int(codes[i])), vi);
    const vm some = lane_both(lane_less(zero, sum_l2), lane_not(nothing));
    return lane_select(some, sum_lx / sum_l2, zero);
}

#endif
