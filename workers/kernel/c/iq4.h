/* IQ4_NL and IQ4_XS: codes that stand for sixteen uneven values, and one scale for 32 weights. */
#ifndef IQ4_H
#define IQ4_H

#include "codes.h"
#include "importance.h"
#include "search_signed.h"
#include "simple.h"

#define TRIES 7

static const float IQ4_VALUES[16] ALIGNED = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113,
};
static const float IQ4_NEXT[16] ALIGNED = {
    -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113, 113,
};
/* Half way between neighbours: from here on the next value is the nearer one.  With these values the reference's
 * comparison of two rounded differences comes to exactly this. */
static const float IQ4_HALFWAY[16] ALIGNED = {
    -115.5f, -93.5f, -74, -57, -42, -28.5f, -16, -4.5f, 7, 19, 31.5f, 45.5f, 61, 79, 101, 1e30f,
};

/* A curve that comes to about k at half way number k (within 0.2), and to 0 and 15 at the ends up to 134 either way. */
INLINE vi iq4_bucket(vf v) {
    const vf curve = v * (lane_set(0.09771373f) - lane_set(3.07705e-4f) * lane_abs(v)) + lane_set(7.3755422f);
    return lane_bits(curve + lane_set(ROUNDER));
}

#if LANES == 16

/* Tables of 32 entries take one instruction here, so buckets may be even: entry k is for values around 8 k, those below
 * zero from 16 on.  None has more than one half way, and where there is none its value stands alone. */
static const float IQ4_WIDE_HALFWAY[32] ALIGNED = {
    1e30f, 7, 19, 1e30f, 31.5f, 1e30f, 45.5f, 1e30f, 61, 1e30f, 79, 1e30f, 1e30f, 101, 1e30f, 1e30f, 1e30f,
    1e30f, -115.5f, 1e30f, -93.5f, 1e30f, 1e30f, -74, 1e30f, -57, 1e30f, -42, -28.5f, 1e30f, -16, -4.5f,
};
static const float IQ4_WIDE_VALUES[32] ALIGNED = {
    1, 1, 13, 25, 25, 38, 38, 53, 53, 69, 69, 89, 89, 89, 113, 113, -127, -127, -127, -104, -104, -83, -83, -83,
    -65, -65, -49, -49, -35, -22, -22, -10,
};
static const float IQ4_WIDE_NEXT[32] ALIGNED = {
    1, 13, 25, 25, 38, 38, 53, 53, 69, 69, 89, 89, 89, 113, 113, 113, -127, -127, -104, -104, -83, -83, -83,
    -65, -65, -49, -49, -35, -22, -22, -10, 1,
};

INLINE vf lane_wide_table(const float table[32], vi index) {
    return (vf)_mm512_permutex2var_ps(_mm512_load_ps(table), (__m512i)index, _mm512_load_ps(table + 16));
}

/* The value nearest to v; of two equally near the upper one. */
INLINE vf iq4_value(vf v) {
    const vf held = lane_max(lane_min(v, lane_set(120.0f)), lane_set(-128.0f));
    /* Adding this leaves a float with no bits below eight. */
    const vi bucket = lane_bits(held + lane_set(8.0f * ROUNDER));
    const vm below = lane_less(held, lane_wide_table(IQ4_WIDE_HALFWAY, bucket));
    return lane_select(below, lane_wide_table(IQ4_WIDE_VALUES, bucket), lane_wide_table(IQ4_WIDE_NEXT, bucket));
}

#else

/* The value nearest to v, for v between -134.5 and 134.5; of two equally near the upper one. */
INLINE vf iq4_value(vf v) {
    const vi bucket = iq4_bucket(v);
    const vm below = lane_less(v, lane_table(IQ4_HALFWAY, bucket));
    return lane_select(below, lane_table(IQ4_VALUES, bucket), lane_table(IQ4_NEXT, bucket));
}

#endif

/* The codes of x * inverse, for whatever values; NaN gets the last code as in the reference. */
INLINE void iq4_codes(const float *x, float inverse, uint8_t *codes) {
    for (int i = 0; i < BLOCK; i += LANES) {
        const vf scaled = lane_set(inverse) * lane_load(x + i);
        const vf held = lane_max(lane_min(scaled, lane_set(130.0f)), lane_set(-130.0f));
        const vi bucket = iq4_bucket(held);
        const vm below = lane_less(held, lane_table(IQ4_HALFWAY, bucket));
        const vf up = lane_select(below, lane_set(0.0f), lane_set(1.0f));
        const vf code = lane_from_int(bucket & lane_set_int(15)) + up;
        lane_store_bytes(codes + i, lane_cut(lane_min(code, lane_set(15.0f))));
    }
}

/* The best scale of each lane: the first guess maps the peak to the lowest value, others are near it. */
INLINE vf iq4_search(const float *x, const float *w) {
    const vf zero = lane_set(0.0f);
    vf peak, size;
    lane_peak(x, BLOCK, SIDE, &peak, &size);
    const vm nothing = lane_less(size, lane_set(NOTHING));
    const vf safe = lane_select(nothing, lane_set(1.0f), peak);
    vf scale = zero, best = zero;
    for (int attempt = -TRIES - 1; attempt <= TRIES; attempt++) {
        const int first = attempt < -TRIES;
        const vf inverse = first ? lane_set(1.0f) / (-safe / lane_set(-127.0f)) : lane_set((float)attempt - 127.0f) / safe;
        vf sum_qx = zero, sum_q2 = zero;
        for (int i = 0; i < BLOCK; i++) {
            const vf value = lane_load(x + SIDE * i);
            const vf q = iq4_value(inverse * value);
            const vf wq = lane_load(w + SIDE * i) * q;
            sum_qx += wq * value;
            sum_q2 += wq * q;
        }
        const vm some = lane_less(zero, sum_q2);
        const vm better = first ? some : lane_both(some, lane_less(best * sum_q2, sum_qx * sum_qx));
        scale = lane_select(better, sum_qx / sum_q2, scale);
        best = first ? scale * sum_qx : lane_select(better, scale * sum_qx, best);
    }
    return lane_select(nothing, zero, scale);
}

/* The scales of all groups of 32; `run` groups share one mean square. */
INLINE void iq4_scales(const struct batch *batch, int run, float *scales) {
    float x[BLOCK * SIDE] ALIGNED, w[BLOCK * SIDE] ALIGNED, mean[BLOCKS];
    const int blocks = batch->count / BLOCK;
    if (batch->weights) mean_squares(batch, BLOCK * run, 1.0f, 2.0f / (float)(BLOCK * run), mean);
    for (int b = 0; b < blocks; b += SIDE) {
        const int here = blocks - b < SIDE ? blocks - b : SIDE;
        into_lanes(batch->x + BLOCK * b, here, BLOCK, x);
        if (batch->weights)
            important(x, batch->weights + BLOCK * b, mean + b / run, run, here, BLOCK, w);
        else
            for (int i = 0; i < BLOCK * SIDE; i += LANES) lane_store(w + i, lane_load(x + i) * lane_load(x + i));
        for (int at = 0; at < SIDE; at += LANES) lane_store(scales + b + at, iq4_search(x + at, w + at));
    }
}

static void quantize_iq4_nl(const struct batch *batch, uint8_t *out) {
    float scales[BLOCKS];
    iq4_scales(batch, 1, scales);
    for (int b = 0; b < batch->count / BLOCK; b++, out += 18) {
        uint8_t codes[BLOCK] ALIGNED;
        iq4_codes(batch->x + BLOCK * b, scales[b] != 0.0f ? 1.0f / scales[b] : 0.0f, codes);
        put16(out, half_of(scales[b]));
        pack_nibbles(codes, out + 2);
    }
}

static void quantize_iq4_xs(const struct batch *batch, uint8_t *out) {
    float all[BLOCKS];
    iq4_scales(batch, 8, all);
    for (int s = 0; s < batch->count / SUPER; s++, out += 136) {
        const float *scales = all + 8 * s;
        float peak = 0.0f;
        for (int i = 0; i < 8; i++)
            if (__builtin_fabsf(scales[i]) > __builtin_fabsf(peak)) peak = scales[i];
        const float d = -peak / 32.0f, inverse = d != 0.0f ? 1.0f / d : 0.0f;
        uint32_t high = 0;
        memset(out + 4, 0, 4);
        for (int i = 0; i < 8; i++) {
            uint8_t codes[BLOCK] ALIGNED;
            int32_t scale = nearest(inverse * scales[i]);
            scale = scale < 31 ? scale < -32 ? -32 : scale : 31;
            const float step = d * (float)scale;
            iq4_codes(batch->x + SUPER * s + BLOCK * i, step != 0.0f ? 1.0f / step : 0.0f, codes);
            pack_nibbles(codes, out + 8 + 16 * i);
            scale += 32;
            out[4 + i / 2] |= (uint8_t)((scale & 15) << (4 * (i % 2)));
            high |= (uint32_t)(scale >> 4) << (2 * i);
        }
        put16(out, half_of(d));
        put16(out + 2, high);
    }
}

#endif
