/* Super-blocks of 256 weights in 16 groups with one scale each: Q3_K and Q6_K. */
#ifndef SUPER_SIGNED_H
#define SUPER_SIGNED_H

#include "codes.h"
#include "importance.h"
#include "search_signed.h"
#include "super_affine.h"

#define N 16 /* weights in a group, and groups in a super-block */

/* The products of weights and x; where there is no importance, the weights are the squares of x. */
INLINE void weigh_by_x(const float *x, int squares, float *w, float *wx) {
    for (int i = 0; i < N * SIDE; i += LANES) {
        const vf value = lane_load(x + i);
        const vf weight = squares ? value * value : lane_load(w + i);
        lane_store(w + i, weight);
        lane_store(wx + i, weight * value);
    }
}

/* The first scale of largest size. */
INLINE float peak_of(const float *scales) {
    float peak = 0.0f, size = 0.0f;
    for (int i = 0; i < N; i++)
        if (__builtin_fabsf(scales[i]) > size) {
            size = __builtin_fabsf(scales[i]);
            peak = scales[i];
        }
    return peak;
}

INLINE void pack_q6_k(const uint8_t *codes, uint8_t *out) {
    for (int half = 0; half < 2; half++, codes += 128)
        for (int i = 0; i < 32; i++) {
            const uint8_t a = codes[i], b = codes[i + 32], c = codes[i + 64], d = codes[i + 96];
            out[64 * half + i] = (uint8_t)((a & 15) | c << 4);
            out[64 * half + 32 + i] = (uint8_t)((b & 15) | d << 4);
            out[128 + 32 * half + i] = (uint8_t)(a >> 4 | b >> 4 << 2 | c >> 4 << 4 | d >> 4 << 6);
        }
}

INLINE void write_q6_k(const float *x, const float *scales, const float *inverses, uint8_t *out) {
    uint8_t codes[SUPER] ALIGNED;
    const float peak = peak_of(scales);
    if (__builtin_fabsf(peak) < NOTHING) {
        memset(out, 0, 210);
        return;
    }
    const float inverse = -128.0f / peak;
    const uint16_t half = half_of(1.0f / inverse);
    const float d = float_of_half(half);
    put16(out + 208, half);
    for (int i = 0; i < N; i++) {
        const int32_t code = nearest(inverse * scales[i]);
        const int8_t scale = (int8_t)(code < 127 ? code : 127);
        out[192 + i] = (uint8_t)scale;
        const float step = d * scale;
        if (step != 0.0f)
            signed_codes_again(x + N * i, N, step, 32, codes + N * i);
        else if (only_zeros(inverses[i]))
            memset(codes + N * i, 0, N);
        else
            signed_codes(x + N * i, N, inverses[i], 32, codes + N * i);
    }
    pack_q6_k(codes, out);
}

INLINE void q6_k(const struct batch *batch, int weighted, uint8_t *out) {
    float x[N * SIDE] ALIGNED, w[N * SIDE] ALIGNED, wx[N * SIDE] ALIGNED;
    for (int at = 0; at < batch->count; at += N * SIDE) {
        struct signed_scales found;
        const int left = batch->count - at, here = left < N * SIDE ? left : N * SIDE;
        into_lanes(batch->x + at, here / N, N, x);
        if (weighted) into_lanes(batch->weights + at, here / N, N, w);
        weigh_by_x(x, !weighted, w, wx);
        search_signed(x, w, wx, N, 32.0f, &found);
        for (int s = 0; s < here / SUPER; s++, out += 210)
            write_q6_k(batch->x + at + SUPER * s, found.scale + N * s, found.inverse + N * s, out);
    }
}

static void quantize_q6_k(const struct batch *batch, uint8_t *out) { q6_k(batch, 0, out); }
static void weigh_q6_k(const struct batch *batch, uint8_t *out) { q6_k(batch, 1, out); }

/* Sixteen six-bit scales in twelve bytes. */
INLINE void pack_q3_scales(const uint8_t *scales, uint8_t *out) {
    for (int i = 0; i < 8; i++) out[i] = (uint8_t)((scales[i] & 15) | scales[i + 8] << 4);
    for (int i = 0; i < 4; i++)
        out[8 + i] = (uint8_t)(
            scales[i] >> 4 | scales[i + 4] >> 4 << 2 | scales[i + 8] >> 4 << 4 | scales[i + 12] >> 4 << 6
        );
}

/* `own` are the codes of the search; they stay where a scale is zero. */
INLINE void write_q3_k(const float *x, const uint8_t *scales, float d_exact, uint8_t *own, uint8_t *out) {
    const uint16_t half = half_of(d_exact);
    const float d = float_of_half(half);
    for (int i = 0; i < N; i++) {
        const float step = d * (float)((int)scales[i] - 32);
        if (step != 0.0f) signed_codes_again(x + N * i, N, step, 4, own + N * i);
    }
    for (int i = 0; i < 32; i++) {
        int bits = 0;
        for (int k = 0; k < 8; k++) bits |= (own[32 * k + i] > 3) << k;
        out[i] = (uint8_t)bits;
    }
    for (int i = 0; i < SUPER; i++) own[i] &= 3;
    pack_pairs(own, out + 32);
    pack_q3_scales(scales, out + 96);
    put16(out + 108, half);
}

INLINE void codes_out_of_lanes(const float *codes, int groups, uint8_t *out) {
    for (int g = 0; g < groups; g += 4) {
        for (int i = 0; i < N; i += 4) {
            v4 r[4];
            for (int k = 0; k < 4; k++) r[k] = load4(codes + SIDE * (i + k) + g);
            turn4(r);
            for (int k = 0; k < 4; k++)
                for (int j = 0; j < 4; j++) out[N * (g + k) + i + j] = (uint8_t)(int)r[k][j];
        }
    }
}

static void quantize_q3_k(const struct batch *batch, uint8_t *out) {
    float x[N * SIDE] ALIGNED, codes[N * SIDE] ALIGNED, scales[SIDE] ALIGNED;
    uint8_t own[N * SIDE] ALIGNED, coded[N];
    for (int at = 0; at < batch->count; at += N * SIDE) {
        const int left = batch->count - at, here = left < N * SIDE ? left : N * SIDE;
        into_lanes(batch->x + at, here / N, N, x);
        for (int lane = 0; lane < SIDE; lane += ABREAST * LANES)
            search_greedy(x + lane, codes + lane, N, scales + lane);
        codes_out_of_lanes(codes, here / N, own);
        for (int s = 0; s < here / SUPER; s++, out += 110) {
            const float peak = peak_of(scales + N * s), inverse = peak != 0.0f ? -32.0f / peak : 0.0f;
            for (int i = 0; i < N; i++) {
                const int8_t code = (int8_t)nearest(inverse * scales[N * s + i]);
                coded[i] = peak != 0.0f ? (uint8_t)((code < 31 ? code < -32 ? -32 : code : 31) + 32) : 0;
            }
            const float d = peak != 0.0f ? 1.0f / inverse : 0.0f;
            write_q3_k(batch->x + at + SUPER * s, coded, d, own + SUPER * s, out);
        }
    }
}

/* The scales of a batch's super-blocks, searched side by side.  They may be beyond all measure, so rounding is exact. */
INLINE void search_q3_scales(const float *scales, const float *sums, int supers, float *d, float *inverses) {
    enum { WIDE = SUPERS < LANES ? LANES : SUPERS };
    float x[N * WIDE] ALIGNED = {0}, w[N * WIDE] ALIGNED = {0}, wx[N * WIDE] ALIGNED;
    for (int s = 0; s < supers; s++)
        for (int i = 0; i < N; i++) {
            x[WIDE * i + s] = scales[N * s + i];
            w[WIDE * i + s] = sums[N * s + i];
        }
    for (int i = 0; i < N * WIDE; i++) wx[i] = w[i] * x[i];
    for (int at = 0; at < WIDE; at += LANES) signed_lanes(x + at, w + at, wx + at, N, WIDE, 32.0f, 1, d + at, inverses + at);
}

static void weigh_q3_k(const struct batch *batch, uint8_t *out) {
    float x[N * SIDE] ALIGNED, w[N * SIDE] ALIGNED, wx[N * SIDE] ALIGNED, mean[SUPERS];
    float sums[GROUPS], scales[GROUPS], inverses[GROUPS];
    float d[SUPERS + LANES], d_inverse[SUPERS + LANES];
    mean_squares(batch, SUPER, 2.0f, 1.0f / SUPER, mean);
    for (int at = 0; at < batch->count; at += N * SIDE) {
        struct signed_scales found;
        const int left = batch->count - at, here = left < N * SIDE ? left : N * SIDE, group = at / N;
        into_lanes(batch->x + at, here / N, N, x);
        important(x, batch->weights + at, mean + at / SUPER, N, here / N, N, w);
        sums_of_weights(w, N, sums + group);
        weigh_by_x(x, 0, w, wx);
        search_signed(x, w, wx, N, 4.0f, &found);
        memcpy(scales + group, found.scale, sizeof found.scale);
        memcpy(inverses + group, found.inverse, sizeof found.inverse);
    }
    search_q3_scales(scales, sums, batch->count / SUPER, d, d_inverse);
    for (int s = 0; s < batch->count / SUPER; s++, out += 110) {
        uint8_t own[SUPER] ALIGNED, coded[N];
        const float *block = batch->x + SUPER * s;
        for (int i = 0; i < N; i++) {
            const int group = N * s + i;
            const int32_t code = nearest(d_inverse[s] * scales[group]);
            coded[i] = only_zeros(d_inverse[s]) ? 0 : (uint8_t)((code < 31 ? code < -32 ? -32 : code : 31) + 32);
            if (only_zeros(inverses[group]))
                memset(own + N * i, 0, N);
            else
                signed_codes(block + N * i, N, inverses[group], 4, own + N * i);
        }
        write_q3_k(block, coded, d[s], own, out);
    }
}

#undef N

#endif
