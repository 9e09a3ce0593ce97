/* Eight-bit floats with a scale for each block of a matrix. */
#ifndef FP8_H
#define FP8_H

#include "half.h"

/* E4M3 has no infinity and one NaN; E5M2 is the upper byte of a half. */
INLINE float float_of_fp8(uint8_t code, int format) {
    if (format == E5M2) return float_of_half((uint16_t)(code << 8));
    const uint32_t sign = (uint32_t)(code & 0x80) << 24, rest = code & 0x7f;
    if (rest == 0x7f) return float_of(sign | 0x7fc00000);
    if (rest < 8) return float_of(sign | bits_of((float)rest * 0x1p-9f));
    return float_of(sign | ((rest << 20) + 0x3c000000));
}

/* What each code stands for under one scale, as the bits that are written; returns whether any of them is not finite. */
static int products(const struct eights *all, float scale, uint32_t bits[256]) {
    int odd = 0;
    for (int code = 0; code < 256; code++) {
        const float value = float_of_fp8((uint8_t)code, all->format) * scale;
        bits[code] = all->target == BFLOAT16 ? (uint32_t)bf16_of(value) << 16 : bits_of(value);
        odd |= (bits[code] & 0x7f800000) == 0x7f800000;
    }
    return odd;
}

static int write_products(const struct eights *all, const uint32_t bits[256], int64_t at, int64_t count, int odd) {
    const uint8_t *in = all->in + at;
    for (int64_t i = 0; odd && i < count; i++)
        if ((bits[in[i]] & 0x7f800000) == 0x7f800000) return (int)i;
    if (all->target == FLOAT32)
        for (int64_t i = 0; i < count; i++) memcpy((uint8_t *)all->out + 4 * (at + i), &bits[in[i]], 4);
    else
        for (int64_t i = 0; i < count; i++) put16((uint8_t *)all->out + 2 * (at + i), bits[in[i]] >> 16);
    return -1;
}

/* Returns -1, or the index of a code that is not finite or whose product with its scale is not. */
static int64_t eights_to_floats(const struct eights *all) {
    const int64_t across = (all->columns + all->block_columns - 1) / all->block_columns;
    for (int64_t top = 0; top < all->rows; top += all->block_rows)
        for (int64_t left = 0; left < all->columns; left += all->block_columns) {
            uint32_t bits[256];
            const float scale = all->scales[top / all->block_rows * across + left / all->block_columns];
            const int odd = products(all, scale, bits);
            const int64_t width = all->columns - left < all->block_columns ? all->columns - left : all->block_columns;
            for (int64_t row = top; row < top + all->block_rows && row < all->rows; row++) {
                const int64_t at = row * all->columns + left;
                const int found = write_products(all, bits, at, width, odd);
                if (found >= 0) return at + found;
            }
        }
    return -1;
}

#endif
