/* Eight-bit floats with a scale for each block of a matrix. */
#ifndef FP8_H
#define FP8_H

#include "half.h"

enum { PIECE_OF_EIGHTS = 512 };

/* E4M3 has no infinity and one NaN of each sign; below 8 a code is subnormal. */
static void widen_e4m3(const uint8_t *restrict in, int count, float scale, float *restrict out) {
    for (int i = 0; i < count; i += LANES) {
        const vi code = lane_load_bytes(in + i);
        const vi rest = code & lane_set_int(0x7f), sign = code & lane_set_int(INT32_MIN);
        const vf size = lane_from_int(rest);
        const vf tiny = size * lane_set(0x1p-9f), normal = lane_floats((rest << 20) + lane_set_int(0x3c000000));
        vf number = lane_select(lane_less(size, lane_set(8.0f)), tiny, normal);
        number = lane_select(lane_equal(size, lane_set(127.0f)), lane_set(__builtin_nanf("")), number);
        lane_store(out + i, lane_floats(lane_bits(number) | sign) * lane_set(scale));
    }
}

/* E5M2 is the upper byte of a half. */
static void widen_e5m2(const uint8_t *restrict in, int count, float scale, float *restrict out) {
    uint16_t halves[PIECE_OF_EIGHTS];
    for (int i = 0; i < count; i++) halves[i] = (uint16_t)(in[i] << 8);
    floats_of_halves((const uint8_t *)halves, count, out);
    for (int i = 0; i < count; i++) out[i] *= scale;
}

/* One piece of a row under one scale; returns the index of a product that is not finite, or -1. */
static int write_eights(const struct eights *all, int64_t at, int count, float scale) {
    float wide[PIECE_OF_EIGHTS] ALIGNED;
    uint8_t codes[PIECE_OF_EIGHTS] ALIGNED;
    memcpy(codes, all->in + at, (size_t)count);
    memset(codes + count, 0, (size_t)(-count & (LANES - 1)));
    (all->format == E4M3 ? widen_e4m3 : widen_e5m2)(codes, count, scale, wide);
    const int odd = first_beyond(wide, count, all->target == BFLOAT16 ? INFINITE_BF16 : INFINITE);
    if (all->target == BFLOAT16)
        bf16s_of(wide, count, (uint8_t *)all->out + 2 * at);
    else
        memcpy((uint8_t *)all->out + 4 * at, wide, 4 * (size_t)count);
    return odd;
}

/* Returns -1, or the index of a code that is not finite or whose product with its scale is not. */
static int64_t eights_to_floats(const struct eights *all) {
    const int64_t across = (all->columns + all->block_columns - 1) / all->block_columns;
    for (int64_t row = 0; row < all->rows; row++)
        for (int64_t block = 0; block < across; block++) {
            const int64_t left = block * all->block_columns, right = left + all->block_columns;
            const int64_t end = right < all->columns ? right : all->columns;
            const float scale = all->scales[row / all->block_rows * across + block];
            for (int64_t column = left; column < end; column += PIECE_OF_EIGHTS) {
                const int count = end - column < PIECE_OF_EIGHTS ? (int)(end - column) : PIECE_OF_EIGHTS;
                const int odd = write_eights(all, row * all->columns + column, count, scale);
                if (odd >= 0) return row * all->columns + column + odd;
            }
        }
    return -1;
}

#endif
