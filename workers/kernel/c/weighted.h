/* Blocks of 32 weights by importance: Q4_0, Q5_0 (one scale) and Q4_1, Q5_1 (scale and minimum).
 *
 * The importance of a weight grows with the mean square of its whole row.
 */
#ifndef WEIGHTED_H
#define WEIGHTED_H

#include "importance.h"
#include "search_affine.h"
#include "search_signed.h"
#include "simple.h"

INLINE void write_small(const uint8_t *codes, int five, uint8_t *out) {
    if (five) pack_fifths(codes, out);
    pack_nibbles(codes, out + (five ? 4 : 0));
}

INLINE void weigh_symmetric(const struct batch *batch, int half, uint8_t *out) {
    float x[BLOCK * SIDE] ALIGNED, w[BLOCK * SIDE] ALIGNED, wx[BLOCK * SIDE] ALIGNED;
    const int blocks = batch->count / BLOCK;
    for (int b = 0; b < blocks; b += SIDE) {
        struct signed_scales found;
        const int here = blocks - b < SIDE ? blocks - b : SIDE;
        into_lanes(batch->x + BLOCK * b, here, BLOCK, x);
        important(x, batch->weights + BLOCK * b, batch->row_square + b, 1, here, BLOCK, w);
        for (int i = 0; i < BLOCK * SIDE; i += LANES) lane_store(wx + i, lane_load(w + i) * lane_load(x + i));
        search_signed(x, w, wx, BLOCK, (float)half, &found);
        for (int g = 0; g < here; g++, out += half == 16 ? 22 : 18) {
            uint8_t codes[BLOCK] ALIGNED = {0};
            if (!only_zeros(found.inverse[g])) signed_codes(batch->x + BLOCK * (b + g), BLOCK, found.inverse[g], half, codes);
            put16(out, half_of(found.scale[g]));
            write_small(codes, half == 16, out + 2);
        }
    }
}

static const struct affine_plan PLAN_Q4_1 = {32, 36, 0, 1, 15.0f, -0.9f, 0.05f};
static const struct affine_plan PLAN_Q5_1 = {32, 36, 0, 1, 31.0f, -0.9f, 0.05f};

INLINE void weigh_ranged(const struct batch *batch, const struct affine_plan *plan, uint8_t *out) {
    float x[BLOCK * SIDE] ALIGNED, w[BLOCK * SIDE] ALIGNED, room[BLOCK * SIDE] ALIGNED;
    const int blocks = batch->count / BLOCK, five = plan->most > 15.0f;
    for (int b = 0; b < blocks; b += SIDE) {
        struct affine found;
        const int here = blocks - b < SIDE ? blocks - b : SIDE;
        into_lanes(batch->x + BLOCK * b, here, BLOCK, x);
        important(x, batch->weights + BLOCK * b, batch->row_square + b, 1, here, BLOCK, w);
        search_affine(plan, x, w, room, &found);
        for (int g = 0; g < here; g++, out += five ? 24 : 20) {
            uint8_t codes[BLOCK] ALIGNED = {0};
            const float *block = batch->x + BLOCK * (b + g);
            if (!found.flat[g]) winning_codes(plan, &found, g, block, codes);
            put16(out, half_of(found.scale[g]));
            put16(out + 2, half_of(-found.minimum[g]));
            write_small(codes, five, out + 4);
        }
    }
}

static void weigh_q4_0(const struct batch *batch, uint8_t *out) { weigh_symmetric(batch, 8, out); }
static void weigh_q5_0(const struct batch *batch, uint8_t *out) { weigh_symmetric(batch, 16, out); }
static void weigh_q4_1(const struct batch *batch, uint8_t *out) { weigh_ranged(batch, &PLAN_Q4_1, out); }
static void weigh_q5_1(const struct batch *batch, uint8_t *out) { weigh_ranged(batch, &PLAN_Q5_1, out); }

#endif
