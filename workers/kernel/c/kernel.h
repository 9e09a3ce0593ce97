/* The binary interface of the kernel and what its files share.
 *
 * Every number is little-endian as in a GGUF file.  A call returns one of the codes below and, on a refusal, the index
 * of the weight (counted over all rows) that is to blame.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The kernel is written for little-endian machines."
#endif

#define INLINE static inline __attribute__((always_inline))
#define ALIGNED __attribute__((aligned(64)))

/* What a call returns. */
enum { KERNEL_OK, KERNEL_NOT_FINITE, KERNEL_SCALE, KERNEL_IMATRIX, KERNEL_ARGUMENT };

/* The kinds of floating-point numbers that come in or go out. */
enum { FLOAT32, FLOAT16, BFLOAT16 };

/* Types carry ggml's numbers. */
enum {
    TYPE_F16 = 1, TYPE_Q4_0 = 2, TYPE_Q4_1 = 3, TYPE_Q5_0 = 6, TYPE_Q5_1 = 7, TYPE_Q8_0 = 8, TYPE_Q2_K = 10,
    TYPE_Q3_K = 11, TYPE_Q4_K = 12, TYPE_Q5_K = 13, TYPE_Q6_K = 14, TYPE_IQ4_NL = 20, TYPE_IQ4_XS = 23,
    TYPE_BF16 = 30, TYPE_TQ1_0 = 34, TYPE_TQ2_0 = 35, TYPE_MXFP4 = 39, TYPE_NVFP4 = 40, TYPE_Q1_0 = 41,
    TYPE_Q2_0 = 42, TYPES = 43
};

/* How many weights are worked on at once: they and their companions stay in the first cache. */
#define BATCH 2048

/* A batch of weights, blocks in a row; `weights` is the importance of each, or null. */
struct batch {
    const float *x;
    const float *weights;
    int count;
    float row_square[BATCH / 32]; /* for each 32 weights the mean square of their row; only with `weights` */
};

typedef void quantizer(const struct batch *batch, uint8_t *out);
typedef void dequantizer(const uint8_t *in, int count, float *out);

/* A type as one path implements it.  The scales of a block, as halves, are at `scale[0]` and `scale[1]` (or -1). */
struct type {
    int block;
    int size;
    int scale[2];
    int row_square;
    quantizer *plain;
    quantizer *weighted; /* null where the reference ignores importance */
    dequantizer *back;
};

struct job {
    const void *rows;
    const float *imatrix;
    uint8_t *out;
    int64_t count;
    int64_t columns;
    int64_t at;
    int source;
    int type;
};

/* A matrix of 8-bit floats; each block of it has its scale, and blocks at the edges are cut off. */
struct eights {
    const uint8_t *in;
    const float *scales;
    void *out;
    int64_t rows, columns, block_rows, block_columns;
    int format, target;
};

enum { E4M3, E5M2 };

struct path {
    const char *name;
    int (*quantize)(struct job *job);
    int (*dequantize)(const uint8_t *in, int type, int64_t count, int target, void *out);
    int64_t (*eights)(const struct eights *eights);
};

extern const struct path path_portable, path_avx2, path_avx512;

#endif
