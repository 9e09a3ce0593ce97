/* Super-blocks of 256 weights in groups with a scale and a minimum: Q2_K (16 groups of 16), Q4_K and Q5_K (8 of 32). */
#ifndef SUPER_AFFINE_H
#define SUPER_AFFINE_H

#include "codes.h"
#include "importance.h"
#include "search_affine.h"
#include "search_positive.h"

#define GROUPS (BATCH / 16)

/* A batch after the search: groups counted over all its super-blocks. */
struct affine_batch {
    struct affine found[GROUPS / SIDE];
    float sums[GROUPS];
    uint8_t scale_codes[GROUPS], minimum_codes[GROUPS];
    float d[SUPERS], dmin[SUPERS];
};

static const struct affine_plan PLAN_Q2_K = {16, 15, 1, 0, 3.0f, -0.5f, 0.1f};
static const struct affine_plan PLAN_Q4_K = {32, 20, 0, 0, 15.0f, -1.0f, 0.1f};
static const struct affine_plan PLAN_Q5_K = {32, 15, 0, 0, 31.0f, -0.5f, 0.1f};
static const struct affine_plan PLAN_Q2_K_WEIGHTED = {16, 36, 0, 1, 3.0f, -0.9f, 0.05f};
static const struct affine_plan PLAN_Q4_K_WEIGHTED = {32, 36, 0, 1, 15.0f, -0.9f, 0.05f};
static const struct affine_plan PLAN_Q5_K_WEIGHTED = {32, 36, 0, 1, 31.0f, -0.9f, 0.05f};

/* Weights without importance: the size of x, for groups of 32 on top of the group's root mean square. */
INLINE void plain_weights(const float *x, int n, float *weights) {
    for (int at = 0; at < SIDE; at += LANES) {
        vf base = lane_set(0.0f);
        for (int i = 0; n == 32 && i < n; i++) base += lane_load(x + SIDE * i + at) * lane_load(x + SIDE * i + at);
        base = lane_sqrt(base / lane_set((float)n));
        for (int i = 0; i < n; i++) {
            const vf size = lane_abs(lane_load(x + SIDE * i + at));
            lane_store(weights + SIDE * i + at, n == 32 ? base + size : size);
        }
    }
}

INLINE void search_groups(
    const struct batch *batch, const struct affine_plan *plan, const float *mean, struct affine_batch *all
) {
    float x[32 * SIDE] ALIGNED, weights[32 * SIDE] ALIGNED, codes[32 * SIDE] ALIGNED;
    const int n = plan->n, groups = batch->count / n, run = SUPER / n;
    for (int g = 0; g < groups; g += SIDE) {
        const int here = groups - g < SIDE ? groups - g : SIDE;
        into_lanes(batch->x + n * g, here, n, x);
        if (mean) {
            important(x, batch->weights + n * g, mean + g / run, run, here, n, weights);
            sums_of_weights(weights, n, all->sums + g);
        } else {
            plain_weights(x, n, weights);
        }
        search_affine(plan, x, weights, codes, all->found + g / SIDE);
    }
}

/* Without importance a scale is coded by its share of the largest one. */
INLINE float coded_shares(const float *values, int n, float most, uint8_t *codes) {
    float largest = 0.0f;
    for (int i = 0; i < n; i++) largest = values[i] > largest ? values[i] : largest;
    const float inverse = largest > 0.0f ? most / largest : 0.0f;
    for (int i = 0; i < n; i++) codes[i] = largest > 0.0f ? (uint8_t)nearest(inverse * values[i]) : 0;
    return largest > 0.0f ? largest / most : 0.0f;
}

INLINE void code_scales(const struct batch *batch, int n, float most, struct affine_batch *all) {
    const int per = SUPER / n;
    for (int s = 0; s < batch->count / SUPER; s++) {
        const struct affine *found = all->found + s * per / SIDE;
        const int at = s * per % SIDE;
        all->d[s] = coded_shares(found->scale + at, per, most, all->scale_codes + s * per);
        all->dmin[s] = coded_shares(found->minimum + at, per, most, all->minimum_codes + s * per);
    }
}

/* With importance, scales and minima are searched once more; super-blocks lie side by side, first all their scales, then
 * all their minima. */
INLINE void search_scales(const struct batch *batch, int n, int most, struct affine_batch *all) {
    enum { SIDES = 2 * SUPERS };
    float x[16 * SIDES] ALIGNED = {0}, w[16 * SIDES] ALIGNED = {0}, d[SIDES] ALIGNED;
    const int per = SUPER / n, supers = batch->count / SUPER;
    for (int s = 0; s < supers; s++)
        for (int i = 0; i < per; i++) {
            const int group = s * per + i;
            const struct affine *found = all->found + group / SIDE;
            x[SIDES * i + s] = found->scale[group % SIDE];
            x[SIDES * i + SUPERS + s] = found->minimum[group % SIDE];
            w[SIDES * i + s] = w[SIDES * i + SUPERS + s] = all->sums[group];
        }
    for (int at = 0; at < SIDES; at += LANES) {
        vi codes[16];
        lane_store(d + at, search_positive(x + at, w + at, per, SIDES, most, codes));
        for (int i = 0; i < per; i++)
            for (int lane = 0; lane < LANES; lane++) {
                const int s = (at + lane) % SUPERS;
                uint8_t *to = at + lane < SUPERS ? all->scale_codes : all->minimum_codes;
                to[s * per + i] = (uint8_t)codes[i][lane];
            }
    }
    memcpy(all->d, d, sizeof all->d);
    memcpy(all->dmin, d + SUPERS, sizeof all->dmin);
}

/* The codes of a super-block: anew with the scales as the file will hold them, or the search's own where such a scale is
 * zero. */
INLINE void super_codes(
    const struct batch *batch, const struct affine_plan *plan, const struct affine_batch *all, int s, float d, float dmin,
    const uint8_t *scales, const uint8_t *minima, uint8_t *codes
) {
    const int n = plan->n, per = SUPER / n, most = (int)plan->most;
    for (int i = 0; i < per; i++) {
        const int group = s * per + i;
        const float *x = batch->x + n * group;
        const struct affine *found = all->found + group / SIDE;
        const float scale = d * scales[i], shift = dmin * minima[i];
        if (scale != 0.0f)
            affine_codes_again(x, n, shift, scale, most, codes + n * i);
        else if (found->flat[group % SIDE])
            memset(codes + n * i, 0, (size_t)n);
        else
            winning_codes(plan, found, group % SIDE, x, codes + n * i);
    }
}

/* Four codes of two bits share a byte: those 32 apart. */
INLINE void pack_pairs(const uint8_t *codes, uint8_t *out) {
    for (int half = 0; half < SUPER; half += 128, codes += 128, out += 32)
        for (int i = 0; i < 32; i++)
            out[i] = (uint8_t)(codes[i] | codes[i + 32] << 2 | codes[i + 64] << 4 | codes[i + 96] << 6);
}

INLINE void write_q2_k(const struct batch *batch, const struct affine_plan *plan, struct affine_batch *all, uint8_t *out) {
    for (int s = 0; s < batch->count / SUPER; s++, out += 84) {
        uint8_t codes[SUPER] ALIGNED, scales[16], minima[16];
        const uint16_t d = half_of(all->d[s]), dmin = half_of(all->dmin[s]);
        for (int i = 0; i < 16; i++) {
            out[i] = (uint8_t)(all->scale_codes[16 * s + i] | all->minimum_codes[16 * s + i] << 4);
            scales[i] = out[i] & 15;
            minima[i] = out[i] >> 4;
        }
        super_codes(batch, plan, all, s, float_of_half(d), float_of_half(dmin), scales, minima, codes);
        pack_pairs(codes, out + 16);
        put16(out + 80, d);
        put16(out + 82, dmin);
    }
}

/* Eight scales and eight minima of six bits in twelve bytes.  A code above 63 spills as it does in the reference. */
INLINE void pack_sixes(const uint8_t *scales, const uint8_t *minima, uint8_t *out) {
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(scales[i] | scales[i + 4] >> 4 << 6);
        out[i + 4] = (uint8_t)(minima[i] | minima[i + 4] >> 4 << 6);
        out[i + 8] = (uint8_t)((scales[i + 4] & 15) | (minima[i + 4] & 15) << 4);
    }
}

INLINE void unpack_sixes(const uint8_t *in, uint8_t *scales, uint8_t *minima) {
    for (int i = 0; i < 4; i++) {
        scales[i] = in[i] & 63;
        minima[i] = in[i + 4] & 63;
        scales[i + 4] = (uint8_t)((in[i + 8] & 15) | in[i] >> 6 << 4);
        minima[i + 4] = (uint8_t)(in[i + 8] >> 4 | in[i + 4] >> 6 << 4);
    }
}

INLINE void write_q45_k(
    const struct batch *batch, const struct affine_plan *plan, struct affine_batch *all, int capped, uint8_t *out
) {
    const int five = plan->most > 15.0f;
    for (int i = 0; capped && i < batch->count / 32; i++) {
        if (all->scale_codes[i] > 63) all->scale_codes[i] = 63;
        if (all->minimum_codes[i] > 63) all->minimum_codes[i] = 63;
    }
    for (int s = 0; s < batch->count / SUPER; s++) {
        uint8_t codes[SUPER] ALIGNED, scales[8], minima[8];
        const uint16_t d = half_of(all->d[s]), dmin = half_of(all->dmin[s]);
        put16(out, d);
        put16(out + 2, dmin);
        pack_sixes(all->scale_codes + 8 * s, all->minimum_codes + 8 * s, out + 4);
        unpack_sixes(out + 4, scales, minima);
        super_codes(batch, plan, all, s, float_of_half(d), float_of_half(dmin), scales, minima, codes);
        uint8_t *low = out + (five ? 48 : 16);
        for (int i = 0; i < 128; i++) {
            const uint8_t *pair = codes + i / 32 * 64 + i % 32;
            low[i] = (uint8_t)((pair[0] & 15) | pair[32] << 4);
        }
        for (int i = 0; five && i < 32; i++) {
            int bits = 0;
            for (int k = 0; k < 8; k++) bits |= (codes[32 * k + i] >> 4) << k;
            out[16 + i] = (uint8_t)bits;
        }
        out += five ? 176 : 144;
    }
}

static void quantize_q2_k(const struct batch *batch, uint8_t *out) {
    struct affine_batch all;
    search_groups(batch, &PLAN_Q2_K, NULL, &all);
    code_scales(batch, 16, 15.0f, &all);
    write_q2_k(batch, &PLAN_Q2_K, &all, out);
}

static void quantize_q4_k(const struct batch *batch, uint8_t *out) {
    struct affine_batch all;
    search_groups(batch, &PLAN_Q4_K, NULL, &all);
    code_scales(batch, 32, 63.0f, &all);
    write_q45_k(batch, &PLAN_Q4_K, &all, 1, out);
}

static void quantize_q5_k(const struct batch *batch, uint8_t *out) {
    struct affine_batch all;
    search_groups(batch, &PLAN_Q5_K, NULL, &all);
    code_scales(batch, 32, 63.0f, &all);
    write_q45_k(batch, &PLAN_Q5_K, &all, 1, out);
}

INLINE void search_weighted(
    const struct batch *batch, const struct affine_plan *plan, float factor, int most, struct affine_batch *all
) {
    float mean[SUPERS];
    mean_squares(batch, SUPER, factor, 1.0f / SUPER, mean);
    search_groups(batch, plan, mean, all);
    search_scales(batch, plan->n, most, all);
}

static void weigh_q2_k(const struct batch *batch, uint8_t *out) {
    struct affine_batch all;
    search_weighted(batch, &PLAN_Q2_K_WEIGHTED, 1.0f, 15, &all);
    write_q2_k(batch, &PLAN_Q2_K_WEIGHTED, &all, out);
}

static void weigh_q4_k(const struct batch *batch, uint8_t *out) {
    struct affine_batch all;
    search_weighted(batch, &PLAN_Q4_K_WEIGHTED, 2.0f, 63, &all);
    write_q45_k(batch, &PLAN_Q4_K_WEIGHTED, &all, 0, out);
}

static void weigh_q5_k(const struct batch *batch, uint8_t *out) {
    struct affine_batch all;
    search_weighted(batch, &PLAN_Q5_K_WEIGHTED, 2.0f, 63, &all);
    write_q45_k(batch, &PLAN_Q5_K_WEIGHTED, &all, 1, out);
}

#endif
