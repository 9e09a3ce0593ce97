/* Half-precision and bfloat16 numbers, one at a time and in rows; rounding is half to even. */
#ifndef HALF_H
#define HALF_H

#include "lanes.h"

INLINE uint32_t bits_of(float v) {
    uint32_t bits;
    memcpy(&bits, &v, 4);
    return bits;
}

INLINE float float_of(uint32_t bits) {
    float v;
    memcpy(&v, &bits, 4);
    return v;
}

INLINE void put16(uint8_t *to, uint32_t value) {
    const uint16_t narrow = (uint16_t)value;
    memcpy(to, &narrow, 2);
}

INLINE uint16_t get16(const uint8_t *from) {
    uint16_t value;
    memcpy(&value, from, 2);
    return value;
}

#if LANES > 4

INLINE uint16_t half_of(float v) { return _cvtss_sh(v, _MM_FROUND_TO_NEAREST_INT); }
INLINE float float_of_half(uint16_t half) { return _cvtsh_ss(half); }

#else

INLINE uint16_t half_of(float v) {
    const uint32_t bits = bits_of(v), sign = (bits >> 16) & 0x8000, size = bits & 0x7fffffff;
    if (size > 0x7f800000) return (uint16_t)(sign | 0x7e00);
    if (size >= 0x47800000) return (uint16_t)(sign | 0x7c00);
    /* Below the smallest normal half, adding one half leaves exactly the bits that a subnormal has. */
    if (size < 0x38800000) return (uint16_t)(sign | (bits_of(float_of(size) + 0.5f) - 0x3f000000));
    return (uint16_t)(sign | ((size + 0xfff + ((size >> 13) & 1) - 0x38000000) >> 13));
}

INLINE float float_of_half(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
    if (rest >= 0x7c00) return float_of(sign | 0x7f800000 | (rest & 0x3ff) << 13);
    if (rest < 0x400) return float_of(sign | bits_of((float)rest * 0x1p-24f));
    return float_of(sign | ((rest << 13) + 0x38000000));
}

#endif

INLINE uint16_t bf16_of(float v) {
    const uint32_t bits = bits_of(v);
    if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 64);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static void halves_of(const float *restrict x, int count, uint8_t *restrict out) {
    int i = 0;
#if LANES > 4
    for (; i + 8 <= count; i += 8) {
        const __m128i halves = _mm256_cvtps_ph(_mm256_loadu_ps(x + i), _MM_FROUND_TO_NEAREST_INT);
        _mm_storeu_si128((__m128i *)(out + 2 * i), halves);
    }
#endif
    for (; i < count; i++) put16(out + 2 * i, half_of(x[i]));
}

static void bf16s_of(const float *restrict x, int count, uint8_t *restrict out) {
    for (int i = 0; i < count; i++) put16(out + 2 * i, bf16_of(x[i]));
}

static void floats_of_halves(const uint8_t *restrict in, int count, float *restrict out) {
    int i = 0;
#if LANES > 4
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(in + 2 * i))));
#endif
    for (; i < count; i++) out[i] = float_of_half(get16(in + 2 * i));
}

static void floats_of_bf16s(const uint8_t *restrict in, int count, float *restrict out) {
    for (int i = 0; i < count; i++) out[i] = float_of((uint32_t)get16(in + 2 * i) << 16);
}

#define INFINITE 0x7f800000
/* From here on a float becomes an infinite bfloat16. */
#define INFINITE_BF16 0x7f7f8000

/* The index of the first float whose size has at least these bits, or -1. */
INLINE int first_beyond(const float *x, int count, int32_t bits) {
    const vi mask = lane_set_int(0x7fffffff), least = lane_set_int(bits);
    vi odd = lane_set_int(0);
    int i = 0;
    for (; i + LANES <= count; i += LANES) odd |= (vi)((lane_bits(lane_load(x + i)) & mask) >= least);
    uint32_t rest = 0;
    for (int lane = 0; lane < LANES; lane++) rest |= (uint32_t)odd[lane];
    for (; i < count; i++) rest |= (int32_t)(bits_of(x[i]) & 0x7fffffff) >= bits;
    if (!rest) return -1;
    for (i = 0; (int32_t)(bits_of(x[i]) & 0x7fffffff) < bits; i++) {}
    return i;
}

#endif
