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

/* The two-bit code of weight i of a super-block. */
INLINE int pair_code(const uint8_t *pairs, int i) { return pairs[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3; }

static void back_q2_k(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 84, out += SUPER) {
        const float d = float_of_half(get16(in + 80)), dmin = float_of_half(get16(in + 82));
        for (int g = 0; g < 16; g++) {
            const float scale = d * (float)(in[g] & 15), low = dmin * (float)(in[g] >> 4);
            for (int i = 16 * g; i < 16 * g + 16; i++) out[i] = scale * (float)pair_code(in + 16, i) - low;
        }
    }
}

static void back_q3_k(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 110, out += SUPER) {
        const float d = float_of_half(get16(in + 108));
        const uint8_t *packed = in + 96;
        for (int g = 0; g < 16; g++) {
            const int low = packed[g % 8] >> (g / 8 * 4) & 15, high = packed[8 + g % 4] >> (g / 4 * 2) & 3;
            const float scale = d * (float)((low | high << 4) - 32);
            for (int i = 16 * g; i < 16 * g + 16; i++) {
                const int lifted = in[i % 32] >> (i / 32) & 1;
                out[i] = scale * (float)(pair_code(in + 32, i) - (lifted ? 0 : 4));
            }
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
        const float d = float_of_half(get16(in + 208));
        for (int g = 0; g < 16; g++) {
            const float scale = d * (float)(int8_t)in[192 + g];
            for (int i = 16 * g; i < 16 * g + 16; i++) {
                const int quarter = i % 128 / 32;
                const int low = in[i / 128 * 64 + quarter % 2 * 32 + i % 32] >> (quarter / 2 * 4) & 15;
                const int high = in[128 + i / 128 * 32 + i % 32] >> (2 * quarter) & 3;
                out[i] = scale * (float)((low | high << 4) - 32);
            }
        }
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

/* The k-th ternary digit of a byte. */
INLINE int trit(uint8_t byte, int k) {
    static const uint8_t powers[5] = {1, 3, 9, 27, 81};
    return (uint8_t)(byte * powers[k]) * 3 >> 8;
}

static void back_tq1_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 54, out += SUPER) {
        const float d = float_of_half(get16(in + 52));
        for (int i = 0; i < SUPER; i++) {
            const int code = i < 160   ? trit(in[i % 32], i / 32)
                             : i < 240 ? trit(in[32 + (i - 160) % 16], (i - 160) / 16)
                                       : trit(in[48 + (i - 240) % 4], (i - 240) / 4);
            out[i] = (float)(code - 1) * d;
        }
    }
}

static void back_tq2_0(const uint8_t *in, int count, float *restrict out) {
    for (; count > 0; count -= SUPER, in += 66, out += SUPER) {
        const float d = float_of_half(get16(in + 64));
        for (int i = 0; i < SUPER; i++) out[i] = (float)(pair_code(in, i) - 1) * d;
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
