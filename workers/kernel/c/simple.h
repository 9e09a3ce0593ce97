/* The types of 32 weights with a scale of their own and no search: Q8_0, Q4_0, Q4_1, Q5_0, Q5_1; and F16, BF16. */
#ifndef SIMPLE_H
#define SIMPLE_H

#include "codes.h"

#define BLOCK 32
#define BLOCKS (BATCH / BLOCK)

/* Half away from zero, for values that an int32 holds: cutting after adding the float just below one half. */
INLINE vi lane_away(vf v) {
    const vi sign = lane_bits(v) & lane_set_int(INT32_MIN);
    return lane_cut(v + lane_floats(sign | lane_bits(lane_set(0x1.fffffep-2f))));
}

/* One over each number, but zero for zero. */
INLINE vf lane_inverse(vf v) {
    return lane_select(lane_equal(v, lane_set(0.0f)), v, lane_set(1.0f) / v);
}

INLINE float block_size_of(const float *x, int n) {
    vf most = lane_abs(lane_load(x));
    for (int i = LANES; i < n; i += LANES) most = lane_max(most, lane_abs(lane_load(x + i)));
    return lane_highest(most);
}

INLINE void block_extremes(const float *x, float *low, float *high) {
    vf least = lane_load(x), most = least;
    for (int i = LANES; i < BLOCK; i += LANES) {
        least = lane_min(least, lane_load(x + i));
        most = lane_max(most, lane_load(x + i));
    }
    *low = -lane_highest(-least);
    *high = lane_highest(most);
}

/* The first of the weights of largest size. */
INLINE float block_peak(const float *x) {
    float low, high;
    block_extremes(x, &low, &high);
    if (high != -low) return high > -low ? high : low;
    for (int i = 0; i < BLOCK; i++)
        if (x[i] == high || x[i] == low) return x[i] == 0.0f ? 0.0f : x[i];
    return 0.0f;
}

static void quantize_q8_0(const struct batch *batch, uint8_t *out) {
    float d[BLOCKS + LANES] ALIGNED, id[BLOCKS + LANES] ALIGNED;
    const int blocks = batch->count / BLOCK;
    for (int b = 0; b < blocks; b++) d[b] = block_size_of(batch->x + BLOCK * b, BLOCK);
    for (int b = 0; b < blocks; b += LANES) {
        const vf scale = lane_load(d + b) / lane_set(127.0f);
        lane_store(d + b, scale);
        lane_store(id + b, lane_inverse(scale));
    }
    for (int b = 0; b < blocks; b++, out += 34) {
        const float *x = batch->x + BLOCK * b;
        put16(out, half_of(d[b]));
        /* Where the inverse overflows the reference converts infinities, of which the low byte is zero. */
        if (__builtin_expect(id[b] > 3.4e38f, 0)) {
            memset(out + 2, 0, BLOCK);
            continue;
        }
        vi codes[BLOCK / LANES];
        for (int i = 0; i < BLOCK / LANES; i++) codes[i] = lane_away(lane_load(x + LANES * i) * lane_set(id[b]));
        store_32(out + 2, codes);
    }
}

/* The fifth bits of a block's codes, as a word. */
INLINE void put_fifths(const vi codes[BLOCK / LANES], uint8_t *out) {
    uint32_t bits = 0;
    for (int i = 0; i < BLOCK / LANES; i++) bits |= lane_mask(lane_sign(codes[i] << 27)) << (LANES * i);
    memcpy(out, &bits, 4);
}

/* The low four bits of weight i and of weight i + 16 share a byte. */
INLINE void put_nibbles(const vi codes[BLOCK / LANES], uint8_t *out) {
    enum { HALF = BLOCK / LANES / 2 };
    vi pairs[HALF];
    for (int i = 0; i < HALF; i++) pairs[i] = (codes[i] & lane_set_int(15)) | (codes[i + HALF] & lane_set_int(15)) << 4;
    store_16(out, pairs);
}

/* The same from bytes. */
INLINE void pack_nibbles(const uint8_t *codes, uint8_t *out) {
    for (int i = 0; i < 16; i++) out[i] = (uint8_t)((codes[i] & 15) | codes[i + 16] << 4);
}

INLINE void pack_fifths(const uint8_t *codes, uint8_t *out) {
    uint32_t high = 0;
    for (int i = 0; i < BLOCK; i++) high |= (uint32_t)(codes[i] >> 4 & 1) << i;
    memcpy(out, &high, 4);
}

/* Where an inverse overflows the reference gets the smallest integer for every weight, and zero from its low byte: with
 * an inverse and a shift of zero it is the same. */
INLINE void tame(float *inverses, float *shifts, int blocks, float shift) {
    for (int b = 0; b < blocks; b += LANES) {
        const vf inverse = lane_load(inverses + b);
        const vm fits = lane_less(lane_abs(inverse), lane_set(__builtin_inff()));
        lane_store(inverses + b, lane_select(fits, inverse, lane_set(0.0f)));
        lane_store(shifts + b, lane_select(fits, lane_set(shift), lane_set(0.0f)));
    }
}

INLINE void symmetric_blocks(const struct batch *batch, int half, uint8_t *out) {
    float d[BLOCKS + LANES] ALIGNED, id[BLOCKS + LANES] ALIGNED, shift[BLOCKS + LANES] ALIGNED;
    const int blocks = batch->count / BLOCK;
    for (int b = 0; b < blocks; b++) d[b] = block_peak(batch->x + BLOCK * b);
    for (int b = 0; b < blocks; b += LANES) {
        const vf scale = lane_load(d + b) / lane_set((float)-half);
        lane_store(d + b, scale);
        lane_store(id + b, lane_inverse(scale));
    }
    tame(id, shift, blocks, (float)half + 0.5f);
    for (int b = 0; b < blocks; b++) {
        const float *x = batch->x + BLOCK * b;
        const vf inverse = lane_set(id[b]), up = lane_set(shift[b]), most = lane_set((float)(2 * half - 1));
        vi codes[BLOCK / LANES];
        for (int i = 0; i < BLOCK / LANES; i++)
            codes[i] = lane_cut(lane_min(lane_load(x + LANES * i) * inverse + up, most));
        put16(out, half_of(d[b]));
        if (half == 16) put_fifths(codes, out + 2);
        put_nibbles(codes, out + (half == 16 ? 6 : 2));
        out += half == 16 ? 22 : 18;
    }
}

INLINE void ranged_blocks(const struct batch *batch, int most, uint8_t *out) {
    float low[BLOCKS + LANES] ALIGNED, d[BLOCKS + LANES] ALIGNED, id[BLOCKS + LANES] ALIGNED;
    float shift[BLOCKS + LANES] ALIGNED;
    const int blocks = batch->count / BLOCK;
    for (int b = 0; b < blocks; b++) {
        const float *x = batch->x + BLOCK * b;
        block_extremes(x, low + b, d + b);
        if (__builtin_expect(low[b] == 0.0f, 0)) /* The first zero gives its sign. */
            for (int i = BLOCK - 1; i >= 0; i--) low[b] = x[i] == 0.0f ? x[i] : low[b];
    }
    for (int b = 0; b < blocks; b += LANES) {
        const vf range = lane_load(d + b) - lane_load(low + b), flat = lane_set(0.0f);
        const vf scale = lane_select(lane_equal(range, flat), flat, range / lane_set((float)most));
        lane_store(d + b, scale);
        lane_store(id + b, lane_inverse(scale));
    }
    tame(id, shift, blocks, 0.5f);
    for (int b = 0; b < blocks; b++) {
        const float *x = batch->x + BLOCK * b;
        const vf base = lane_set(low[b]), inverse = lane_set(id[b]), up = lane_set(shift[b]);
        vi codes[BLOCK / LANES];
        for (int i = 0; i < BLOCK / LANES; i++) {
            const vf scaled = (lane_load(x + LANES * i) - base) * inverse + up;
            codes[i] = lane_cut(lane_min(scaled, lane_set((float)most)));
        }
        put16(out, half_of(d[b]));
        put16(out + 2, half_of(low[b]));
        if (most == 31) put_fifths(codes, out + 4);
        put_nibbles(codes, out + (most == 31 ? 8 : 4));
        out += most == 31 ? 24 : 20;
    }
}

static void quantize_q4_0(const struct batch *batch, uint8_t *out) { symmetric_blocks(batch, 8, out); }
static void quantize_q5_0(const struct batch *batch, uint8_t *out) { symmetric_blocks(batch, 16, out); }
static void quantize_q4_1(const struct batch *batch, uint8_t *out) { ranged_blocks(batch, 15, out); }
static void quantize_q5_1(const struct batch *batch, uint8_t *out) { ranged_blocks(batch, 31, out); }
static void quantize_f16(const struct batch *batch, uint8_t *out) { halves_of(batch->x, batch->count, out); }
static void quantize_bf16(const struct batch *batch, uint8_t *out) { bf16s_of(batch->x, batch->count, out); }

#endif
