/* Types of one or two bits and a scale: TQ1_0, TQ2_0 (of 256 weights), Q1_0 (of 128), Q2_0 (of 64). */
#ifndef TERNARY_H
#define TERNARY_H

#include "importance.h"
#include "simple.h"

/* Codes 0, 1, 2 for weights at, about -size, 0, +size.  Where the inverse overflows all become `odd`. */
INLINE void ternary_codes(const float *x, int n, float size, int odd, uint8_t *codes) {
    const float inverse = size != 0.0f ? 1.0f / size : 0.0f;
    if (__builtin_expect(inverse > 3.4e38f, 0)) {
        memset(codes, odd, (size_t)n);
        return;
    }
    for (int i = 0; i < n; i += LANES) {
        const vi code = lane_away(lane_load(x + i) * lane_set(inverse));
        lane_store_bytes(codes + i, code + lane_set_int(1));
    }
}

/* Five ternary digits as a fraction of 256, rounded up, so that multiplying by three brings out one after another. */
INLINE void pack_trits(const uint8_t *codes, int apart, int digits, int bytes, uint8_t *out) {
    for (int i = 0; i < bytes; i++) {
        uint32_t value = 0;
        for (int k = 0; k < 5; k++) value = value * 3 + (k < digits ? codes[k * apart + i] : 0);
        out[i] = (uint8_t)((value * 256 + 242) / 243);
    }
}

static void quantize_tq1_0(const struct batch *batch, uint8_t *out) {
    for (int at = 0; at < batch->count; at += SUPER, out += 54) {
        uint8_t codes[SUPER] ALIGNED;
        const float size = block_size_of(batch->x + at, SUPER);
        ternary_codes(batch->x + at, SUPER, size, 1, codes);
        pack_trits(codes, 32, 5, 32, out);
        pack_trits(codes + 160, 16, 5, 16, out + 32);
        pack_trits(codes + 240, 4, 4, 4, out + 48);
        put16(out + 52, half_of(size));
    }
}

static void quantize_tq2_0(const struct batch *batch, uint8_t *out) {
    for (int at = 0; at < batch->count; at += SUPER, out += 66) {
        uint8_t codes[SUPER] ALIGNED;
        const float size = block_size_of(batch->x + at, SUPER);
        ternary_codes(batch->x + at, SUPER, size, 1, codes);
        for (int i = 0; i < 64; i++) {
            const uint8_t *four = codes + i / 32 * 128 + i % 32;
            out[i] = (uint8_t)(four[0] | four[32] << 2 | four[64] << 4 | four[96] << 6);
        }
        put16(out + 64, half_of(size));
    }
}

static void quantize_q2_0(const struct batch *batch, uint8_t *out) {
    for (int at = 0; at < batch->count; at += 64, out += 18) {
        uint8_t codes[64] ALIGNED;
        const float size = block_size_of(batch->x + at, 64);
        ternary_codes(batch->x + at, 64, size, 0, codes);
        put16(out, half_of(size));
        for (int i = 0; i < 16; i++) {
            const uint8_t *four = codes + 4 * i;
            out[2 + i] = (uint8_t)(four[0] | four[1] << 2 | four[2] << 4 | four[3] << 6);
        }
    }
}

static void quantize_q1_0(const struct batch *batch, uint8_t *out) {
    enum { WIDE = 128 };
    float sums[BATCH / WIDE];
    ordered_sums(batch->x, batch->count / WIDE, WIDE, WIDE, 0, sums);
    for (int b = 0; b < batch->count / WIDE; b++, out += 18) {
        const float *x = batch->x + WIDE * b;
        put16(out, half_of(sums[b] / (float)WIDE));
        for (int i = 0; i < WIDE; i += 16) {
            uint32_t bits = 0;
            for (int k = 0; k < 16; k += LANES)
                bits |= lane_mask(lane_not(lane_less(lane_load(x + i + k), lane_set(0.0f)))) << k;
            put16(out + 2 + i / 8, bits);
        }
    }
}

#endif
