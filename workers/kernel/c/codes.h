/* From weights to codes once the scales are known, in the order of the file. */
#ifndef CODES_H
#define CODES_H

#include "half.h"

INLINE vi clamp_codes(vi codes, int least, int most) {
    return lane_int_min(lane_int_max(codes, lane_set_int(least)), lane_set_int(most));
}

/* The codes of (x + shift) / d, from 0 to `most`. */
INLINE void affine_codes_again(const float *x, int n, float shift, float d, int most, uint8_t *codes) {
    for (int i = 0; i < n; i += LANES) {
        const vf scaled = (lane_load(x + i) + lane_set(shift)) / lane_set(d);
        lane_store_bytes(codes + i, clamp_codes(lane_nearest(scaled), 0, most));
    }
}

/* The codes of x / d, from -half to half - 1, raised by `half`. */
INLINE void signed_codes_again(const float *x, int n, float d, int half, uint8_t *codes) {
    for (int i = 0; i < n; i += LANES) {
        const vi code = clamp_codes(lane_nearest(lane_load(x + i) / lane_set(d)), -half, half - 1);
        lane_store_bytes(codes + i, code + lane_set_int(half));
    }
}

/* The codes of x * inverse, from -half to half - 1, raised by `half`. */
INLINE void signed_codes(const float *x, int n, float inverse, int half, uint8_t *codes) {
    for (int i = 0; i < n; i += LANES) {
        const vi code = clamp_codes(lane_nearest(lane_set(inverse) * lane_load(x + i)), -half, half - 1);
        lane_store_bytes(codes + i, code + lane_set_int(half));
    }
}

#endif
