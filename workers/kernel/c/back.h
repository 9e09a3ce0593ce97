/* From blocks back to floats. */
#ifndef BACK_H
#define BACK_H

#include "fp4.h"
#include "iq4.h"
#include "super_affine.h"

static void back_f16(const uint8_t *in, int count, float *out) { floats_of_halves(in, count, out); }
static void back_bf16(const uint8_t *in, int count, float *out) { floats_of_bf16s(in, count, out); }

static void back_q8_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= BLOCK, in += 34, out += BLOCK) {
        const float d = float_of_half(get16(in));
        for (int i = 0; i < BLOCK; i++) out[i] = (float)(int8_t)in[2 + i] * d;
    }
}

/* Codes of four bits, and where `high` is given a fifth one from its word. */
INLINE void unpack_block(const uint8_t *low, const uint8_t *high, int *codes) {
    uint32_t fifths = 0;
    if (high) memcpy(&fifths, high, 4);
    for (int i = 0; i < 16; i++) {
        codes[i] = (low[i] & 15) | (int)(fifths >> i & 1) << 4;
        codes[i + 16] = low[i] >> 4 | (int)(fifths >> (i + 16) & 1) << 4;
    }
}

INLINE void back_symmetric(const uint8_t *in, int count, int half, float *restrict out) {
    const int head = half == 16 ? 6 : 2;
    for (; count > 0; count -= BLOCK, in += head + 16, out += BLOCK) {
        int codes[BLOCK];
        const float d = float_of_half(get16(in));
        unpack_block(in + head, half == 16 ? in + 2 : NULL, codes);
        for (int i = 0; i < BLOCK; i++) out[i] = (float)(codes[i] - half) * d;
    }
}

INLINE void back_ranged(const uint8_t *in, int count, int five, float *restrict out) {
    const int head = five ? 8 : 4;
    for (; count > 0; count -= BLOCK, in += head + 16, out += BLOCK) {
        int codes[BLOCK];
        const float d = float_of_half(get16(in)), low = float_of_half(get16(in + 2));
        unpack_block(in + head, five ? in + 4 : NULL, codes);
        for (int i = 0; i < BLOCK; i++) out[i] = (float)codes[i] * d + low;
    }
}

static void back_q4_0(const uint8_t *in, int count, float *out) { back_symmetric(in, count, 8, out); }
static void back_q5_0(const uint8_t *in, int count, float *out) { back_symmetric(in, count, 16, out); }
static void back_q4_1(const uint8_t *in, int count, float *out) { back_ranged(in, count, 0, out); }
static void back_q5_1(const uint8_t *in, int count, float *out) { back_ranged(in, count, 1, out); }

/* The two-bit codes of a super-block. */
INLINE void unpack_pairs(const uint8_t *pairs, uint8_t *restrict codes) {
    for (int quarter = 0; quarter < 8; quarter++)
        for (int i = 0; i < 32; i++)
            codes[32 * quarter + i] = pairs[quarter / 4 * 32 + i] >> (quarter % 4 * 2) & 3;
}

/* Codes times a scale; `zero` is the code that stands for nothing. */
INLINE void scaled_codes(const uint8_t *codes, int n, int zero, float scale, float *restrict out) {
    for (int i = 0; i < n; i++) out[i] = scale * (float)((int)codes[i] - zero);
}

static void back_q2_k(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 84, out += SUPER) {
        uint8_t codes[SUPER];
        const float d = float_of_half(get16(in + 80)), dmin = float_of_half(get16(in + 82));
        unpack_pairs(in + 16, codes);
        for (int g = 0; g < 16; g++) {
            const float scale = d * (float)(in[g] & 15), low = dmin * (float)(in[g] >> 4);
            for (int i = 0; i < 16; i++) out[16 * g + i] = scale * (float)codes[16 * g + i] - low;
        }
    }
}

static void back_q3_k(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 110, out += SUPER) {
        uint8_t codes[SUPER];
        const float d = float_of_half(get16(in + 108));
        const uint8_t *packed = in + 96;
        unpack_pairs(in + 32, codes);
        for (int k = 0; k < 8; k++)
            for (int i = 0; i < 32; i++) codes[32 * k + i] |= (in[i] >> k & 1) << 2;
        for (int g = 0; g < 16; g++) {
            const int low = packed[g % 8] >> (g / 8 * 4) & 15, high = packed[8 + g % 4] >> (g / 4 * 2) & 3;
            scaled_codes(codes + 16 * g, 16, 4, d * (float)((low | high << 4) - 32), out + 16 * g);
        }
    }
}

INLINE void back_q45_k(const uint8_t *in, int count, int five, float *restrict out) {
    for (; count > 0; count -= SUPER, in += five ? 176 : 144, out += SUPER) {
        uint8_t scales[8], minima[8];
        const float d = float_of_half(get16(in)), dmin = float_of_half(get16(in + 2));
        const uint8_t *low = in + (five ? 48 : 16);
        unpack_sixes(in + 4, scales, minima);
        for (int g = 0; g < 8; g++) {
            const float scale = d * (float)scales[g], shift = dmin * (float)minima[g];
            for (int i = 0; i < 32; i++) {
                const int nibble = low[g / 2 * 32 + i] >> (g % 2 * 4) & 15;
                const int fifth = five ? (in[16 + i] >> g & 1) << 4 : 0;
                out[32 * g + i] = scale * (float)(nibble + fifth) - shift;
            }
        }
    }
}

static void back_q4_k(const uint8_t *in, int count, float *out) { back_q45_k(in, count, 0, out); }
static void back_q5_k(const uint8_t *in, int count, float *out) { back_q45_k(in, count, 1, out); }

static void back_q6_k(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 210, out += SUPER) {
        uint8_t codes[SUPER];
        const float d = float_of_half(get16(in + 208));
        for (int quarter = 0; quarter < 8; quarter++) {
            const uint8_t *low = in + quarter / 4 * 64 + quarter % 2 * 32, *high = in + 128 + quarter / 4 * 32;
            const int nibble = quarter / 2 % 2 * 4, pair = quarter % 4 * 2;
            for (int i = 0; i < 32; i++)
                codes[32 * quarter + i] = (uint8_t)((low[i] >> nibble & 15) | (high[i] >> pair & 3) << 4);
        }
        for (int g = 0; g < 16; g++)
            scaled_codes(codes + 16 * g, 16, 32, d * (float)(int8_t)in[192 + g], out + 16 * g);
    }
}

INLINE void back_table(const uint8_t *nibbles, int half, const float *table, float d, float *restrict out) {
    for (int i = 0; i < half; i++) {
        out[i] = table[nibbles[i] & 15] * d;
        out[i + half] = table[nibbles[i] >> 4] * d;
    }
}

static void back_iq4_nl(const uint8_t *in, int count, float *out) {
    for (; count > 0; count -= BLOCK, in += 18, out += BLOCK)
        back_table(in + 2, 16, IQ4_VALUES, float_of_half(get16(in)), out);
}

static void back_iq4_xs(const uint8_t *in, int count, float *out) {
    for (; count > 0; count -= SUPER, in += 136, out += SUPER)
        for (int g = 0; g < 8; g++) {
            const int low = in[4 + g / 2] >> (g % 2 * 4) & 15, high = get16(in + 2) >> (2 * g) & 3;
            const float d = float_of_half(get16(in)) * (float)((low | high << 4) - 32);
            back_table(in + 8 + 16 * g, 16, IQ4_VALUES, d, out + 32 * g);
        }
}

static void back_mxfp4(const uint8_t *in, int count, float *out) {
    for (; count > 0; count -= BLOCK, in += 17, out += BLOCK)
        back_table(in + 1, 16, FP4_VALUES, half_of_exponent(in[0]), out);
}

static void back_nvfp4(const uint8_t *in, int count, float *out) {
    for (; count > 0; count -= 64, in += 36, out += 64)
        for (int s = 0; s < 4; s++) back_table(in + 4 + 8 * s, 8, FP4_VALUES, half_of_ue4m3(in[s]), out + 16 * s);
}

/* The ternary digits of `bytes` bytes, one digit after another. */
INLINE void unpack_trits(const uint8_t *in, int bytes, int digits, uint8_t *restrict codes) {
    for (int k = 0, power = 1; k < digits; k++, power *= 3)
        for (int i = 0; i < bytes; i++) codes[bytes * k + i] = (uint8_t)((uint8_t)(in[i] * power) * 3 >> 8);
}

static void back_tq1_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 54, out += SUPER) {
        uint8_t codes[SUPER];
        unpack_trits(in, 32, 5, codes);
        unpack_trits(in + 32, 16, 5, codes + 160);
        unpack_trits(in + 48, 4, 4, codes + 240);
        scaled_codes(codes, SUPER, 1, float_of_half(get16(in + 52)), out);
    }
}

static void back_tq2_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 66, out += SUPER) {
        uint8_t codes[SUPER];
        unpack_pairs(in, codes);
        scaled_codes(codes, SUPER, 1, float_of_half(get16(in + 64)), out);
    }
}

static void back_q2_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= 64, in += 18, out += 64) {
        const float d = float_of_half(get16(in));
        for (int i = 0; i < 64; i++) out[i] = (float)((in[2 + i / 4] >> (i % 4 * 2) & 3) - 1) * d;
    }
}

static void back_q1_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= 128, in += 18, out += 128) {
        const float d = float_of_half(get16(in));
        for (int i = 0; i < 128; i++) out[i] = in[2 + i / 8] >> (i % 8) & 1 ? d : -d;
    }
}

#endif
