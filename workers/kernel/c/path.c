/* One path: everything, compiled for one width of vectors.  LANES and PATH come from the command line. */
#include "back.h"
#include "fp4.h"
#include "fp8.h"
#include "iq4.h"
#include "simple.h"
#include "super_affine.h"
#include "super_signed.h"
#include "ternary.h"
#include "weighted.h"

static const struct type TABLE[TYPES] = {
    [TYPE_F16] = {1, 2, {-1, -1}, 0, quantize_f16, NULL, back_f16},
    [TYPE_BF16] = {1, 2, {-1, -1}, 0, quantize_bf16, NULL, back_bf16},
    [TYPE_Q8_0] = {32, 34, {0, -1}, 0, quantize_q8_0, NULL, back_q8_0},
    [TYPE_Q4_0] = {32, 18, {0, -1}, 1, quantize_q4_0, weigh_q4_0, back_q4_0},
    [TYPE_Q4_1] = {32, 20, {0, 2}, 1, quantize_q4_1, weigh_q4_1, back_q4_1},
    [TYPE_Q5_0] = {32, 22, {0, -1}, 1, quantize_q5_0, weigh_q5_0, back_q5_0},
    [TYPE_Q5_1] = {32, 24, {0, 2}, 1, quantize_q5_1, weigh_q5_1, back_q5_1},
    [TYPE_Q2_K] = {256, 84, {80, 82}, 0, quantize_q2_k, weigh_q2_k, back_q2_k},
    [TYPE_Q3_K] = {256, 110, {108, -1}, 0, quantize_q3_k, weigh_q3_k, back_q3_k},
    [TYPE_Q4_K] = {256, 144, {0, 2}, 0, quantize_q4_k, weigh_q4_k, back_q4_k},
    [TYPE_Q5_K] = {256, 176, {0, 2}, 0, quantize_q5_k, weigh_q5_k, back_q5_k},
    [TYPE_Q6_K] = {256, 210, {208, -1}, 0, quantize_q6_k, weigh_q6_k, back_q6_k},
    [TYPE_IQ4_NL] = {32, 18, {0, -1}, 0, quantize_iq4_nl, quantize_iq4_nl, back_iq4_nl},
    [TYPE_IQ4_XS] = {256, 136, {0, -1}, 0, quantize_iq4_xs, quantize_iq4_xs, back_iq4_xs},
    [TYPE_TQ1_0] = {256, 54, {52, -1}, 0, quantize_tq1_0, NULL, back_tq1_0},
    [TYPE_TQ2_0] = {256, 66, {64, -1}, 0, quantize_tq2_0, NULL, back_tq2_0},
    [TYPE_MXFP4] = {32, 17, {-1, -1}, 0, quantize_mxfp4, NULL, back_mxfp4},
    [TYPE_NVFP4] = {64, 36, {-1, -1}, 0, quantize_nvfp4, NULL, back_nvfp4},
    [TYPE_Q1_0] = {128, 18, {0, -1}, 0, quantize_q1_0, NULL, back_q1_0},
    [TYPE_Q2_0] = {64, 18, {0, -1}, 0, quantize_q2_0, NULL, back_q2_0},
};

static int known(int type) { return type >= 0 && type < TYPES && TABLE[type].block > 0; }

static const float *expand(const void *rows, int source, int64_t at, int count, float *room) {
    const uint8_t *narrow = (const uint8_t *)rows + 2 * at;
    if (source == FLOAT32) return (const float *)rows + at;
    if (source == FLOAT16)
        floats_of_halves(narrow, count, room);
    else
        floats_of_bf16s(narrow, count, room);
    return room;
}

/* The index of the first weight whose block has a scale that is not finite, or -1. */
static int first_odd_scale(int number, const struct type *type, const uint8_t *out, int count) {
    const int infinite = number == TYPE_BF16 ? 0x7f80 : 0x7c00;
    if (type->block == 1) {
        int odd = 0;
        for (int i = 0; i < count; i++) odd |= (get16(out + 2 * i) & infinite) == infinite;
        for (int i = 0; odd && i < count; i++)
            if ((get16(out + 2 * i) & infinite) == infinite) return i;
        return -1;
    }
    for (int b = 0; b < count / type->block; b++, out += type->size) {
        if (number == TYPE_MXFP4 && out[0] == 0xff) return b * type->block;
        for (int k = 0; k < 2; k++)
            if (type->scale[k] >= 0 && (get16(out + type->scale[k]) & infinite) == infinite) return b * type->block;
    }
    return -1;
}

/* Mean squares of rows, eight at a time, as batches come to them. */
struct row_squares {
    int64_t first, count;
    float mean[8];
};

static void next_rows(const struct job *job, int64_t row, struct row_squares *known) {
    enum { PIECE = 256 };
    const int64_t rows = job->count / job->columns, n = job->columns;
    known->first = row;
    known->count = rows - row < 8 ? rows - row : 8;
    if (job->source == FLOAT32) {
        ordered_sums((const float *)job->rows + row * n, (int)known->count, n, n, 1, known->mean);
    } else {
        /* Sums run on from piece to piece, so each piece follows the sum so far. */
        for (int r = 0; r < known->count; r++) {
            float piece[PIECE], sum = 0.0f;
            for (int64_t at = 0; at < n; at += PIECE) {
                const int here = n - at < PIECE ? (int)(n - at) : PIECE;
                expand(job->rows, job->source, (row + r) * n + at, here, piece);
                for (int i = 0; i < here; i++) sum += piece[i] * piece[i];
            }
            known->mean[r] = sum;
        }
    }
    for (int r = 0; r < known->count; r++) known->mean[r] /= (float)n;
}

/* Importance for a batch: the matrix has one number for each column and starts anew with each row. */
static void spread(const struct job *job, int64_t at, struct batch *batch, float *weights, struct row_squares *known) {
    const int row_square = TABLE[job->type].row_square;
    for (int i = 0; i < batch->count;) {
        const int64_t row = (at + i) / job->columns, column = (at + i) % job->columns;
        const int64_t rest = job->columns - column, here = rest < batch->count - i ? rest : batch->count - i;
        memcpy(weights + i, job->imatrix + column, (size_t)here * sizeof(float));
        if (row_square) {
            if (row < known->first || row >= known->first + known->count) next_rows(job, row, known);
            for (int b = i / 32; b < (i + here) / 32; b++) batch->row_square[b] = known->mean[row - known->first];
        }
        i += (int)here;
    }
    batch->weights = weights;
}

static int quantize(struct job *job) {
    if (!known(job->type) || job->columns <= 0 || job->columns % TABLE[job->type].block || job->count % job->columns)
        return KERNEL_ARGUMENT;
    const struct type *type = &TABLE[job->type];
    const int weighted = job->imatrix && type->weighted;
    float room[BATCH] ALIGNED, weights[BATCH] ALIGNED;
    struct batch batch = {0};
    struct row_squares known_rows = {0, 0, {0}};
    for (int64_t i = 0; weighted && i < job->columns; i++)
        if ((bits_of(job->imatrix[i]) & 0x7f800000) == 0x7f800000) {
            job->at = i;
            return KERNEL_IMATRIX;
        }
    uint8_t *out = job->out;
    for (int64_t at = 0; at < job->count; at += BATCH) {
        batch.count = job->count - at < BATCH ? (int)(job->count - at) : BATCH;
        batch.x = expand(job->rows, job->source, at, batch.count, room);
        int odd = first_beyond(batch.x, batch.count, INFINITE);
        if (odd >= 0) {
            job->at = at + odd;
            return KERNEL_NOT_FINITE;
        }
        if (weighted) spread(job, at, &batch, weights, &known_rows);
        (weighted ? type->weighted : type->plain)(&batch, out);
        odd = first_odd_scale(job->type, type, out, batch.count);
        if (odd >= 0) {
            job->at = at + odd;
            return KERNEL_SCALE;
        }
        out += (int64_t)batch.count / type->block * type->size;
    }
    return KERNEL_OK;
}

static int dequantize(const uint8_t *in, int number, int64_t count, int target, void *out) {
    if (!known(number) || count % TABLE[number].block) return KERNEL_ARGUMENT;
    const struct type *type = &TABLE[number];
    float room[BATCH] ALIGNED;
    for (int64_t at = 0; at < count; at += BATCH) {
        const int here = count - at < BATCH ? (int)(count - at) : BATCH;
        type->back(in + at / type->block * type->size, here, target == FLOAT32 ? (float *)out + at : room);
        if (target == FLOAT16) halves_of(room, here, (uint8_t *)out + 2 * at);
        if (target == BFLOAT16) bf16s_of(room, here, (uint8_t *)out + 2 * at);
    }
    return KERNEL_OK;
}

#define JOIN(a, b) a##b
#define NAMED(a, b) JOIN(a, b)
#define TEXT(a) #a
#define QUOTED(a) TEXT(a)

const struct path NAMED(path_, PATH) = {QUOTED(PATH), quantize, dequantize, eights_to_floats};
