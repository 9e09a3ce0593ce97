/* Four-bit floats (sign, two bits of exponent, one of mantissa) under shared scales: MXFP4 and NVFP4. */
#ifndef FP4_H
#define FP4_H

#include "simple.h"

/* The values of the codes, doubled. */
static const float FP4_VALUES[16] ALIGNED = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

/* Half of 2^(code - 127), as a float; the smallest two are subnormal. */
INLINE float half_of_exponent(int code) {
    return float_of(code < 2 ? 0x00200000u << code : (uint32_t)(code - 1) << 23);
}

/* floor(log2(size)) with the logarithm rounded to a float before the floor, as the reference takes it: a size a little
 * below a power of two already counts as that power where floats near the logarithm lie too far apart. */
INLINE int floor_log2(float size) {
    uint32_t bits = bits_of(size);
    int shift = 0;
    if (bits < 0x800000) {
        bits = bits_of(size * 0x1p64f);
        shift = 64;
    }
    const int exponent = (int)(bits >> 23) - 127 - shift, next = exponent + 1;
    const uint32_t below = 0x800000 - (bits & 0x7fffff);
    /* Floats around `next`, on the side of zero for positive ones, are 2^(k - 23) apart. */
    int k = -1;
    for (int reach = next < 0 ? -next : next - 1; reach > 0; reach >>= 1) k++;
    const float half_gap = next == 0 ? 0.0f : 0.6931472f * (k < 0 ? 0.5f : (float)(1 << k));
    return (float)below < half_gap ? next : exponent;
}

/* The code of each x under a scale: of the nearest values the first, by size.  The other sign is never nearer. */
INLINE void fp4_codes(const float *x, int n, float scale, uint8_t *codes) {
    for (int i = 0; i < n; i += LANES) {
        const vf value = lane_load(x + i), size = lane_abs(value);
        vf best = size, code = lane_set(0.0f);
        for (int k = 1; k < 8; k++) {
            const vf off = lane_abs(lane_set(FP4_VALUES[k] * scale) - size);
            const vm nearer = lane_less(off, best);
            best = lane_min(off, best);
            code = lane_select(nearer, lane_set((float)k), code);
        }
        const vf minus = lane_select(lane_less(value, lane_set(0.0f)), lane_set(8.0f), lane_set(0.0f));
        const vf whole = lane_select(lane_equal(code, lane_set(0.0f)), code, code + minus);
        lane_store_bytes(codes + i, lane_cut(whole));
    }
}

static void quantize_mxfp4(const struct batch *batch, uint8_t *out) {
    for (int at = 0; at < batch->count; at += BLOCK, out += 17) {
        uint8_t codes[BLOCK] ALIGNED;
        const float size = block_size_of(batch->x + at, BLOCK);
        const int exponent = size > 0.0f ? (floor_log2(size) - 2 + 127) & 255 : 0;
        fp4_codes(batch->x + at, BLOCK, half_of_exponent(exponent), codes);
        out[0] = (uint8_t)exponent;
        pack_nibbles(codes, out + 1);
    }
}

/* A positive float of eight bits without a sign: four bits of exponent, three of mantissa, rounded by one more bit. */
INLINE int ue4m3_of(float v) {
    if (!(v > 0.0f)) return 0;
    const uint32_t bits = bits_of(v > 448.0f ? 448.0f : v);
    const int exponent = (int)(bits >> 23) - 127 + 7;
    if (exponent <= 0) {
        const int mantissa = (int)(v * 512.0f + 0.5f);
        return mantissa > 7 ? 7 : mantissa;
    }
    if (exponent >= 15) return 0x7e;
    const int code = (exponent << 3 | (int)(bits >> 20 & 7)) + (int)(bits >> 19 & 1);
    return code > 0x77 ? 0x7e : code;
}

/* Half of what such a code says. */
INLINE float half_of_ue4m3(int code) {
    const int exponent = code >> 3 & 15, mantissa = code & 7;
    if (code == 0 || code == 0x7f) return 0.0f;
    if (exponent == 0) return (float)mantissa * 0x1p-10f;
    return float_of((uint32_t)(exponent + 119) << 23 | (uint32_t)mantissa << 20);
}

static void quantize_nvfp4(const struct batch *batch, uint8_t *out) {
    for (int at = 0; at < batch->count; at += 64, out += 36)
        for (int s = 0; s < 4; s++) {
            uint8_t codes[16] ALIGNED;
            const float *x = batch->x + at + 16 * s;
            const int scale = ue4m3_of(block_size_of(x, 16) / 6.0f);
            out[s] = (uint8_t)scale;
            fp4_codes(x, 16, half_of_ue4m3(scale), codes);
            for (int i = 0; i < 8; i++) out[4 + 8 * s + i] = (uint8_t)(codes[i] | codes[i + 8] << 4);
        }
}

#endif
