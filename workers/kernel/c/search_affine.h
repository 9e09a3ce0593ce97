/* The search for a scale and a minimum of a group: x is about scale * code + minimum with codes from 0 to `most`.
 *
 * A first guess from the extremes, then a list of other inverse scales; for each the least-squares scale and minimum
 * of the codes it gives, kept where the weighted error falls.  A kept minimum also moves the codes of later candidates,
 * so candidates cannot be tried in another order.  Sums run from left to right in every lane.
 */
#ifndef SEARCH_AFFINE_H
#define SEARCH_AFFINE_H

#include "move.h"

/* What a search leaves for each of SIDE groups.  The codes of the winner are those of (x - base) * inverse. */
struct affine {
    float scale[SIDE], minimum[SIDE], inverse[SIDE], base[SIDE];
    uint8_t flat[SIDE];  /* all weights alike: all codes are zero */
    uint8_t guess[SIDE]; /* no candidate was better than the first guess */
};

/* `held`: candidates are held between 0 and `most` before they are rounded, so that nothing wraps around. */
struct affine_plan {
    int n, steps, absolute, held;
    float most, first, step;
};

#define PAIR 2

INLINE vf affine_code(const struct affine_plan *plan, vf scaled, int small) {
    const vf rounded = small ? lane_round(scaled) : lane_from_int(lane_nearest(scaled));
    return lane_max(lane_min(rounded, lane_set(plan->most)), lane_set(0.0f));
}

/* NaN is held at zero. */
INLINE vf affine_held(const struct affine_plan *plan, vf scaled) {
    return lane_round(lane_min(lane_max(scaled, lane_set(0.0f)), lane_set(plan->most)));
}

/* The weighted error of codes under a scale and a minimum, for two vectors at once: each sum is one long chain. */
INLINE void affine_error(
    const struct affine_plan *plan, const float *x, const float *w, const float *codes, const vf *scale, const vf *low,
    vf *error
) {
    for (int p = 0; p < PAIR; p++) error[p] = lane_set(0.0f);
    for (int i = 0; i < plan->n; i++)
        for (int p = 0; p < PAIR; p++) {
            const int at = SIDE * i + LANES * p;
            const vf off = (scale[p] * lane_load(codes + at) + low[p]) - lane_load(x + at);
            error[p] += lane_load(w + at) * (plan->absolute ? lane_abs(off) : off * off);
        }
}

struct affine_sums {
    vf l, l2, xl;
};

INLINE struct affine_sums affine_candidate(
    const struct affine_plan *plan, const float *x, const float *w, float *codes, vf inverse, vf base, int small
) {
    struct affine_sums sum = {lane_set(0.0f), lane_set(0.0f), lane_set(0.0f)};
    for (int i = 0; i < plan->n; i++) {
        const vf value = lane_load(x + SIDE * i);
        const vf scaled = inverse * (value - base);
        const vf code = plan->held ? affine_held(plan, scaled) : affine_code(plan, scaled, small);
        lane_store(codes + SIDE * i, code);
        const vf wl = lane_load(w + SIDE * i) * code;
        sum.l += wl;
        sum.l2 += wl * code;
        sum.xl += wl * value;
    }
    return sum;
}

INLINE void affine_pair(
    const struct affine_plan *plan, const float *x, const float *w, float *codes, struct affine *found, int at
) {
    const vf zero = lane_set(0.0f);
    vf high[PAIR], lowest[PAIR], low[PAIR], sum_w[PAIR], sum_x[PAIR], scale[PAIR], error[PAIR], inverse[PAIR], base[PAIR];
    vm alive[PAIR], guess[PAIR];
    for (int p = 0; p < PAIR; p++) {
        const float *xs = x + LANES * p, *ws = w + LANES * p;
        high[p] = lowest[p] = lane_load(xs);
        sum_w[p] = lane_load(ws);
        sum_x[p] = sum_w[p] * high[p];
        for (int i = 1; i < plan->n; i++) {
            const vf value = lane_load(xs + SIDE * i), weight = lane_load(ws + SIDE * i);
            lowest[p] = lane_min(value, lowest[p]);
            high[p] = lane_max(value, high[p]);
            sum_w[p] += weight;
            sum_x[p] += weight * value;
        }
        low[p] = lane_select(lane_less(zero, lowest[p]), zero, lowest[p]);
        alive[p] = lane_not(lane_equal(high[p], low[p]));
        /* A flat lane takes part with a harmless range, and its results are dropped. */
        const vf range = lane_select(alive[p], high[p] - low[p], lane_set(1.0f));
        inverse[p] = lane_set(plan->most) / range;
        scale[p] = lane_set(1.0f) / inverse[p];
        base[p] = low[p];
        guess[p] = alive[p];
        const int small = lane_all_small(inverse[p] * (lowest[p] - low[p])) && lane_all_small(inverse[p] * (high[p] - low[p]));
        for (int i = 0; i < plan->n; i++)
            lane_store(
                codes + LANES * p + SIDE * i, affine_code(plan, inverse[p] * (lane_load(xs + SIDE * i) - low[p]), small)
            );
    }
    affine_error(plan, x, w, codes, scale, low, error);
    for (int step = 0; step <= plan->steps; step++) {
        const float target = plan->first + plan->step * (float)step + plan->most;
        vf tried[PAIR], try_scale[PAIR], try_low[PAIR], try_error[PAIR];
        vm solvable[PAIR];
        for (int p = 0; p < PAIR; p++) {
            const vf range = lane_select(alive[p], high[p] - low[p], lane_set(1.0f));
            tried[p] = lane_set(target) / range;
            const int small = plan->held || (lane_all_small(tried[p] * (lowest[p] - low[p])) &&
                                             lane_all_small(tried[p] * (high[p] - low[p])));
            struct affine_sums sum;
            if (__builtin_expect(small, 1))
                sum = affine_candidate(plan, x + LANES * p, w + LANES * p, codes + LANES * p, tried[p], low[p], 1);
            else
                sum = affine_candidate(plan, x + LANES * p, w + LANES * p, codes + LANES * p, tried[p], low[p], 0);
            const vf divisor = sum_w[p] * sum.l2 - sum.l * sum.l;
            solvable[p] = lane_both(alive[p], lane_less(zero, divisor));
            try_scale[p] = (sum_w[p] * sum.xl - sum_x[p] * sum.l) / divisor;
            try_low[p] = (sum.l2 * sum_x[p] - sum.l * sum.xl) / divisor;
            const vm above = lane_less(zero, try_low[p]);
            try_low[p] = lane_select(above, zero, try_low[p]);
            try_scale[p] = lane_select(above, sum.xl / sum.l2, try_scale[p]);
        }
        affine_error(plan, x, w, codes, try_scale, try_low, try_error);
        for (int p = 0; p < PAIR; p++) {
            const vm better = lane_both(solvable[p], lane_less(try_error[p], error[p]));
            guess[p] = lane_both(guess[p], lane_not(better));
            error[p] = lane_select(better, try_error[p], error[p]);
            scale[p] = lane_select(better, try_scale[p], scale[p]);
            inverse[p] = lane_select(better, tried[p], inverse[p]);
            base[p] = lane_select(better, low[p], base[p]);
            low[p] = lane_select(better, try_low[p], low[p]);
        }
    }
    for (int p = 0; p < PAIR; p++) {
        const int lane = at + LANES * p;
        lane_store(found->scale + lane, lane_select(alive[p], scale[p], zero));
        lane_store(found->minimum + lane, -low[p]);
        lane_store(found->inverse + lane, inverse[p]);
        lane_store(found->base + lane, base[p]);
        const uint32_t living = lane_mask(alive[p]), first = lane_mask(guess[p]);
        for (int i = 0; i < LANES; i++) {
            found->flat[lane + i] = !(living >> i & 1);
            found->guess[lane + i] = first >> i & 1;
        }
    }
}

/* Search all SIDE lanes of x with weights w; `codes` is room for as many floats. */
INLINE void search_affine(
    const struct affine_plan *plan, const float *x, const float *w, float *codes, struct affine *found
) {
    for (int at = 0; at < SIDE; at += PAIR * LANES) affine_pair(plan, x + at, w + at, codes + at, found, at);
}

/* The codes that the search of a group ended with. */
INLINE void winning_codes(
    const struct affine_plan *plan, const struct affine *found, int lane, const float *x, uint8_t *codes
) {
    const vf base = lane_set(found->base[lane]), inverse = lane_set(found->inverse[lane]);
    const int held = plan->held && !found->guess[lane];
    for (int i = 0; i < plan->n; i += LANES) {
        const vf scaled = inverse * (lane_load(x + i) - base);
        lane_store_bytes(codes + i, lane_cut(held ? affine_held(plan, scaled) : affine_code(plan, scaled, 0)));
    }
}

#endif
