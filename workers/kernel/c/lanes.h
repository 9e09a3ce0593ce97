/* A vector of LANES floats, the same in every path.
 *
 * Every operation here is one IEEE operation per lane, so a result does not depend on the width.  Comparisons with a
 * NaN are false; `lane_min(a, b)` is `a < b ? a : b`, the order of which matters for NaN and for zeros.
 */
#ifndef LANES_H
#define LANES_H

#include "kernel.h"

#if LANES > 4
#include <immintrin.h>
#endif

typedef float vf __attribute__((vector_size(4 * LANES)));
typedef int32_t vi __attribute__((vector_size(4 * LANES)));
typedef int8_t vb __attribute__((vector_size(LANES)));
typedef float unaligned_vf __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int8_t unaligned_vb __attribute__((vector_size(LANES), aligned(1), may_alias));

/* Adding it leaves a float with no bits below one: round half to even. */
#define ROUNDER 12582912.0f

INLINE vf lane_load(const float *from) { return *(const unaligned_vf *)from; }
INLINE void lane_store(float *to, vf v) { *(unaligned_vf *)to = v; }
INLINE vi lane_bits(vf v) { return (vi)v; }
INLINE vf lane_floats(vi bits) { return (vf)bits; }

#if LANES == 16

typedef __mmask16 vm;
INLINE vf lane_set(float v) { return (vf)_mm512_set1_ps(v); }
INLINE vi lane_set_int(int32_t v) { return (vi)_mm512_set1_epi32(v); }
INLINE vm lane_less(vf a, vf b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_LT_OQ); }
INLINE vm lane_equal(vf a, vf b) { return _mm512_cmp_ps_mask((__m512)a, (__m512)b, _CMP_EQ_OQ); }
INLINE vm lane_both(vm a, vm b) { return a & b; }
INLINE vm lane_not(vm a) { return (vm)~a; }
INLINE int lane_any(vm a) { return a != 0; }
INLINE uint32_t lane_mask(vm a) { return a; }
INLINE vf lane_select(vm m, vf a, vf b) { return (vf)_mm512_mask_blend_ps(m, (__m512)b, (__m512)a); }
INLINE vf lane_min(vf a, vf b) { return (vf)_mm512_min_ps((__m512)a, (__m512)b); }
INLINE vf lane_max(vf a, vf b) { return (vf)_mm512_max_ps((__m512)a, (__m512)b); }
INLINE vf lane_sqrt(vf a) { return (vf)_mm512_sqrt_ps((__m512)a); }
INLINE vf lane_table(const float table[16], vi index) {
    return (vf)_mm512_permutexvar_ps((__m512i)index, _mm512_load_ps(table));
}
INLINE vi lane_cut(vf a) { return (vi)_mm512_cvttps_epi32((__m512)a); }
INLINE vi lane_int_min(vi a, vi b) { return (vi)_mm512_min_epi32((__m512i)a, (__m512i)b); }
INLINE vi lane_int_max(vi a, vi b) { return (vi)_mm512_max_epi32((__m512i)a, (__m512i)b); }
INLINE float lane_highest(vf a) { return _mm512_reduce_max_ps((__m512)a); }
INLINE void lane_store_bytes(void *to, vi v) { _mm_storeu_si128(to, _mm512_cvtepi32_epi8((__m512i)v)); }
INLINE vi lane_load_bytes(const void *from) { return (vi)_mm512_cvtepi8_epi32(_mm_loadu_si128(from)); }
INLINE void store_16(void *to, const vi v[1]) { lane_store_bytes(to, v[0]); }
INLINE void store_32(void *to, const vi v[2]) {
    lane_store_bytes(to, v[0]);
    lane_store_bytes((uint8_t *)to + 16, v[1]);
}

#elif LANES == 8

typedef vi vm;
INLINE vf lane_set(float v) { return (vf)_mm256_set1_ps(v); }
INLINE vi lane_set_int(int32_t v) { return (vi)_mm256_set1_epi32(v); }
INLINE vm lane_less(vf a, vf b) { return (vm)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_LT_OQ); }
INLINE vm lane_equal(vf a, vf b) { return (vm)_mm256_cmp_ps((__m256)a, (__m256)b, _CMP_EQ_OQ); }
INLINE vm lane_both(vm a, vm b) { return a & b; }
INLINE vm lane_not(vm a) { return ~a; }
INLINE uint32_t lane_mask(vm a) { return (uint32_t)_mm256_movemask_ps((__m256)a); }
INLINE int lane_any(vm a) { return lane_mask(a) != 0; }
INLINE vf lane_select(vm m, vf a, vf b) { return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)m); }
INLINE vf lane_min(vf a, vf b) { return (vf)_mm256_min_ps((__m256)a, (__m256)b); }
INLINE vf lane_max(vf a, vf b) { return (vf)_mm256_max_ps((__m256)a, (__m256)b); }
INLINE vf lane_sqrt(vf a) { return (vf)_mm256_sqrt_ps((__m256)a); }
INLINE vf lane_table(const float table[16], vi index) {
    const __m256 low = _mm256_permutevar8x32_ps(_mm256_load_ps(table), (__m256i)index);
    const __m256 high = _mm256_permutevar8x32_ps(_mm256_load_ps(table + 8), (__m256i)index);
    return (vf)_mm256_blendv_ps(low, high, (__m256)(index << 28));
}
INLINE vi lane_cut(vf a) { return (vi)_mm256_cvttps_epi32((__m256)a); }
INLINE vi lane_int_min(vi a, vi b) { return (vi)_mm256_min_epi32((__m256i)a, (__m256i)b); }
INLINE vi lane_int_max(vi a, vi b) { return (vi)_mm256_max_epi32((__m256i)a, (__m256i)b); }
INLINE float lane_highest(vf a) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128((__m256)a), _mm256_extractf128_ps((__m256)a, 1));
    four = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(four, _mm_movehdup_ps(four)));
}
INLINE void lane_store_bytes(void *to, vi v) {
    const __m256i each = _mm256_shuffle_epi8((__m256i)v, _mm256_set1_epi32(0x0c080400));
    const __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(each), _mm256_extracti128_si256(each, 1));
    _mm_storel_epi64(to, both);
}
INLINE vi lane_load_bytes(const void *from) { return (vi)_mm256_cvtepi8_epi32(_mm_loadl_epi64(from)); }
/* For values of a byte, with or without a sign. */
INLINE void store_16(void *to, const vi v[2]) {
    const __m256i words = _mm256_packs_epi32((__m256i)v[0], (__m256i)v[1]);
    const __m256i sorted = _mm256_permute4x64_epi64(_mm256_and_si256(words, _mm256_set1_epi16(255)), 0xd8);
    _mm_storeu_si128(to, _mm_packus_epi16(_mm256_castsi256_si128(sorted), _mm256_extracti128_si256(sorted, 1)));
}
/* For values of a signed byte. */
INLINE void store_32(void *to, const vi v[4]) {
    const __m256i a = _mm256_packs_epi32((__m256i)v[0], (__m256i)v[1]);
    const __m256i b = _mm256_packs_epi32((__m256i)v[2], (__m256i)v[3]);
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256(to, _mm256_permutevar8x32_epi32(_mm256_packs_epi16(a, b), order));
}

#else

typedef vi vm;
INLINE vf lane_set(float v) { return (vf){v, v, v, v}; }
INLINE vi lane_set_int(int32_t v) { return (vi){v, v, v, v}; }
INLINE vm lane_less(vf a, vf b) { return a < b; }
INLINE vm lane_equal(vf a, vf b) { return a == b; }
INLINE vm lane_both(vm a, vm b) { return a & b; }
INLINE vm lane_not(vm a) { return ~a; }
INLINE uint32_t lane_mask(vm a) {
    return (uint32_t)((a[0] & 1) | (a[1] & 2) | (a[2] & 4) | (a[3] & 8));
}
INLINE int lane_any(vm a) { return (a[0] | a[1] | a[2] | a[3]) != 0; }
INLINE vf lane_select(vm m, vf a, vf b) { return (vf)((m & (vi)a) | (~m & (vi)b)); }
INLINE vf lane_min(vf a, vf b) { return lane_select(a < b, a, b); }
INLINE vf lane_max(vf a, vf b) { return lane_select(a > b, a, b); }
INLINE vf lane_sqrt(vf a) {
    return (vf){__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
}
INLINE vf lane_table(const float table[16], vi index) {
    return (vf){table[index[0] & 15], table[index[1] & 15], table[index[2] & 15], table[index[3] & 15]};
}
/* A float that no int32 holds becomes the smallest one, as on x86. */
INLINE vi lane_cut(vf a) {
    const vf most = lane_set(2147483648.0f);
    const vm fits = (a < most) & (a >= -most);
    return (__builtin_convertvector((vf)((vi)a & fits), vi) & fits) | (lane_set_int(INT32_MIN) & ~fits);
}
INLINE vi lane_int_min(vi a, vi b) { return (a & (a < b)) | (b & ~(a < b)); }
INLINE vi lane_int_max(vi a, vi b) { return (a & (a > b)) | (b & ~(a > b)); }
INLINE float lane_highest(vf a) {
    const float low = a[0] > a[1] ? a[0] : a[1], high = a[2] > a[3] ? a[2] : a[3];
    return low > high ? low : high;
}
INLINE void lane_store_bytes(void *to, vi v) { *(unaligned_vb *)to = __builtin_convertvector(v, vb); }
INLINE vi lane_load_bytes(const void *from) { return __builtin_convertvector(*(const unaligned_vb *)from, vi); }
INLINE void store_16(void *to, const vi v[4]) {
    for (int i = 0; i < 4; i++) lane_store_bytes((uint8_t *)to + 4 * i, v[i]);
}
INLINE void store_32(void *to, const vi v[8]) {
    store_16(to, v);
    store_16((uint8_t *)to + 16, v + 4);
}

#endif

/* The lanes of which the highest bit is set. */
#if LANES == 16
INLINE vm lane_sign(vi a) { return _mm512_movepi32_mask((__m512i)a); }
#elif LANES == 8
INLINE vm lane_sign(vi a) { return a; }
#else
INLINE vm lane_sign(vi a) { return a < 0; }
#endif

INLINE vf lane_abs(vf a) { return lane_floats(lane_bits(a) & lane_set_int(0x7fffffff)); }
INLINE vf lane_from_int(vi a) { return __builtin_convertvector(a, vf); }

/* Round half to even; only for values between -4000000 and 4000000. */
INLINE vf lane_round(vf v) { return (v + lane_set(ROUNDER)) - lane_set(ROUNDER); }

/* Round as the reference does for any value: beyond 22 bits and for NaN its trick wraps around. */
INLINE vi lane_nearest(vf v) {
    return (lane_bits(v + lane_set(ROUNDER)) & lane_set_int(0x7fffff)) - lane_set_int(0x400000);
}

/* Whether all lanes may be rounded by `lane_round`. */
INLINE int lane_all_small(vf v) { return !lane_any(lane_not(lane_less(lane_abs(v), lane_set(4.0e6f)))); }

/* Round half to even for one value, as `lane_nearest`. */
INLINE int32_t nearest(float v) {
    const float shifted = v + ROUNDER;
    int32_t bits;
    memcpy(&bits, &shifted, 4);
    return (bits & 0x7fffff) - 0x400000;
}

#endif
