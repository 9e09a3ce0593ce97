/* The search for one scale of a group: x is about scale * code with codes from -half to half - 1.
 *
 * The weight of largest size (the first of equals) is to get the code -half; other inverse scales near that one are
 * tried, each judged by the least-squares scale of its codes.
 */
#ifndef SEARCH_SIGNED_H
#define SEARCH_SIGNED_H

#include "move.h"
#include "search_positive.h"

/* What a search leaves for each of SIDE groups; an inverse that is NaN marks a group of nothing but zeros. */
struct signed_scales {
    float scale[SIDE], inverse[SIDE];
};

#define NOT_A_NUMBER __builtin_nanf("")

INLINE int only_zeros(float inverse) { return inverse != inverse; }

INLINE vf lane_clamp(vf v, float least, float most) {
    return lane_min(lane_max(v, lane_set(least)), lane_set(most));
}

/* The value of largest size in each lane, and that size. */
INLINE void lane_peak(const float *x, int n, int stride, vf *peak, vf *size) {
    *peak = *size = lane_set(0.0f);
    for (int i = 0; i < n; i++) {
        const vf value = lane_load(x + stride * i), here = lane_abs(value);
        const vm more = lane_less(*size, here);
        *size = lane_select(more, here, *size);
        *peak = lane_select(more, value, *peak);
    }
}

/* One vector of groups.  `wx` is w * x.  `exact` rounds as the reference does even for values beyond all measure. */
INLINE void signed_lanes(
    const float *x, const float *w, const float *wx, int n, int stride, float half, int exact, float *scales,
    float *inverses
) {
    const vf zero = lane_set(0.0f), one = lane_set(1.0f);
    vf peak, size;
    lane_peak(x, n, stride, &peak, &size);
    const vm nothing = lane_less(size, lane_set(NOTHING));
    const vf safe = lane_select(nothing, one, peak);
    vf scale = zero, best = zero, inverse = zero;
    for (int step = -10; step <= 9; step++) {
        if (step == 0) continue;
        const float target = step == -10 ? -half : -(half + 0.1f * (float)step);
        const vf tried = lane_set(target) / safe;
        vf sum_lx = zero, sum_l2 = zero;
        for (int i = 0; i < n; i++) {
            const vf scaled = tried * lane_load(x + stride * i);
            const vf code = lane_clamp(
                exact ? lane_from_int(lane_nearest(scaled)) : lane_round(scaled), -half, half - 1.0f
            );
            sum_lx += lane_load(wx + stride * i) * code;
            sum_l2 += lane_load(w + stride * i) * code * code;
        }
        if (step == -10) {
            scale = lane_select(lane_equal(sum_l2, zero), zero, sum_lx / sum_l2);
            best = scale * sum_lx;
            inverse = tried;
            continue;
        }
        const vm better = lane_both(lane_less(zero, sum_l2), lane_less(best * sum_l2, sum_lx * sum_lx));
        scale = lane_select(better, sum_lx / sum_l2, scale);
        best = lane_select(better, scale * sum_lx, best);
        inverse = lane_select(better, tried, inverse);
    }
    lane_store(scales, lane_select(nothing, zero, scale));
    lane_store(inverses, lane_select(nothing, lane_set(NOT_A_NUMBER), inverse));
}

INLINE void search_signed(
    const float *x, const float *w, const float *wx, int n, float half, struct signed_scales *found
) {
    for (int at = 0; at < SIDE; at += LANES)
        signed_lanes(x + at, w + at, wx + at, n, SIDE, half, 0, found->scale + at, found->inverse + at);
}

/* The other search, for codes from -4 to 3 without importance: one guess, then up to five rounds in which every code in
 * turn may move to where the rest wants it.  Several vectors go side by side, because each is one long chain.  Codes are
 * left in `codes`, raised by 4. */
#define ABREAST (LANES == 4 ? 1 : 2)

struct greedy {
    vf lx, l2;
};

INLINE struct greedy greedy_guess(const float *x, float *codes, int n, vf inverse) {
    struct greedy sum = {lane_set(0.0f), lane_set(0.0f)};
    for (int i = 0; i < n; i++) {
        const vf value = lane_load(x + SIDE * i), weight = value * value;
        const vf code = lane_clamp(lane_round(inverse * value), -4.0f, 3.0f);
        lane_store(codes + SIDE * i, code);
        sum.lx += weight * value * code;
        sum.l2 += weight * code * code;
    }
    return sum;
}

/* Move one code of each lane where that is better; returns which moved. */
INLINE vm greedy_step(const float *x, float *codes, struct greedy *sum) {
    const vf zero = lane_set(0.0f);
    const vf value = lane_load(x), weight = value * value, old = lane_load(codes);
    vf lx = sum->lx - weight * value * old;
    vf l2 = sum->l2 - weight * old * old;
    const vm open = lane_less(zero, lx);
    const vf code = lane_clamp(lane_from_int(lane_nearest(value * l2 / lx)), -4.0f, 3.0f);
    const vm moved = lane_both(open, lane_not(lane_equal(code, old)));
    lx += weight * value * code;
    l2 += weight * code * code;
    const vm gains = lane_less(sum->lx * sum->lx * l2, lx * lx * sum->l2);
    const vm better = lane_both(lane_both(moved, lane_less(zero, l2)), gains);
    lane_store(codes, lane_select(better, code, old));
    sum->lx = lane_select(better, lx, sum->lx);
    sum->l2 = lane_select(better, l2, sum->l2);
    return better;
}

INLINE void search_greedy(const float *x, float *codes, int n, float *scales) {
    const vf zero = lane_set(0.0f), one = lane_set(1.0f), half = lane_set(4.0f);
    struct greedy sum[ABREAST];
    vm nothing[ABREAST];
    for (int p = 0; p < ABREAST; p++) {
        vf peak, size;
        lane_peak(x + LANES * p, n, SIDE, &peak, &size);
        nothing[p] = lane_less(size, lane_set(NOTHING));
        sum[p] = greedy_guess(x + LANES * p, codes + LANES * p, n, -half / lane_select(nothing[p], one, peak));
    }
    for (int round = 0; round < 5; round++) {
        int changed = 0;
        for (int i = 0; i < n; i++)
            for (int p = 0; p < ABREAST; p++) {
                const int at = SIDE * i + LANES * p;
                changed |= lane_any(greedy_step(x + at, codes + at, &sum[p]));
            }
        if (!changed) break;
    }
    for (int p = 0; p < ABREAST; p++) {
        for (int i = LANES * p; i < SIDE * n; i += SIDE)
            lane_store(codes + i, lane_select(nothing[p], zero, lane_load(codes + i) + half));
        const vm some = lane_both(lane_less(zero, sum[p].l2), lane_not(nothing[p]));
        lane_store(scales + LANES * p, lane_select(some, sum[p].lx / sum[p].l2, zero));
    }
}

#endif
