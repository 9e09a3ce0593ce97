/* The doors of the library: each picks a path and keeps the processor's arithmetic mode plain while it works. */
#include "kernel.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* Rounding to nearest and subnormal numbers kept: other code in the process may have asked for something else. */
#if defined(__x86_64__)
static uint64_t plain_arithmetic(void) {
    const uint32_t before = _mm_getcsr();
    _mm_setcsr(0x1f80);
    return before;
}
static void former_arithmetic(uint64_t before) { _mm_setcsr((uint32_t)before); }
#elif defined(__aarch64__)
static uint64_t plain_arithmetic(void) {
    uint64_t before;
    const uint64_t plain = 0;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" : : "r"(plain));
    return before;
}
static void former_arithmetic(uint64_t before) { __asm__ volatile("msr fpcr, %0" : : "r"(before)); }
#else
static uint64_t plain_arithmetic(void) { return 0; }
static void former_arithmetic(uint64_t before) { (void)before; }
#endif

#if defined(__x86_64__)

/* Which registers the operating system saves: bits 1 and 2 stand for AVX, 5 to 7 for AVX-512. */
static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

/* 2 where AVX-512 (F, DQ, BW, VL) may be used, 1 for AVX2 with F16C, else 0. */
static int widest(void) {
    uint32_t a, b, c, d, seven;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_AVX) || !(c & bit_F16C)) return 0;
    const uint64_t saved = saved_registers();
    if ((saved & 6) != 6 || !__get_cpuid_count(7, 0, &a, &seven, &c, &d) || !(seven & bit_AVX2)) return 0;
    const uint32_t needed = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
    return (saved & 0xe6) == 0xe6 && (seven & needed) == needed ? 2 : 1;
}

static const struct path *const PATHS[] = {&path_portable, &path_avx2, &path_avx512};

#else

static int widest(void) { return 0; }
static const struct path *const PATHS[] = {&path_portable};

#endif

/* The paths of this machine are numbered from 0, the portable one, to this. */
int kernel_paths(void) { return widest() + 1; }

const char *kernel_path_name(int path) {
    return path >= 0 && path <= widest() ? PATHS[path]->name : "";
}

int kernel_quantize(
    int path, int type, const void *rows, int source, int64_t count, int64_t columns, const float *imatrix, void *out,
    int64_t *at
) {
    struct job job = {rows, imatrix, out, count, columns, -1, source, type};
    if (path < 0 || path > widest() || source < FLOAT32 || source > BFLOAT16) return KERNEL_ARGUMENT;
    const uint64_t before = plain_arithmetic();
    const int answer = PATHS[path]->quantize(&job);
    former_arithmetic(before);
    *at = job.at;
    return answer;
}

int kernel_dequantize(int path, int type, const void *in, int64_t count, int target, void *out) {
    if (path < 0 || path > widest() || target < FLOAT32 || target > BFLOAT16) return KERNEL_ARGUMENT;
    const uint64_t before = plain_arithmetic();
    const int answer = PATHS[path]->dequantize(in, type, count, target, out);
    former_arithmetic(before);
    return answer;
}

int kernel_eights(
    int path, int format, const void *in, const float *scales, int64_t rows, int64_t columns, int64_t block_rows,
    int64_t block_columns, int target, void *out, int64_t *at
) {
    const struct eights all = {in, scales, out, rows, columns, block_rows, block_columns, format, target};
    const int formats = format == E4M3 || format == E5M2, targets = target == FLOAT32 || target == BFLOAT16;
    if (path < 0 || path > widest() || !formats || !targets || block_rows < 1 || block_columns < 1) return KERNEL_ARGUMENT;
    const uint64_t before = plain_arithmetic();
    *at = PATHS[path]->eights(&all);
    former_arithmetic(before);
    return *at < 0 ? KERNEL_OK : KERNEL_NOT_FINITE;
}
