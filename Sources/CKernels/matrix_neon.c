// Matrix products with NEON and the dot product.
#include "matrix.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#include "matrix_driver.h"
#define SYMBOL(name) name##_neon
#include "neon/lanes.h"

#include "neon/floats.h"
#include "neon/q4_0.h"
#include "neon/q8_0.h"
#include "neon/packed.h"
#include "matrix_packed.h"

#include "matrix_formats.h"
#include "matrix_quants.h"

static int tile(const weights *w, const shoal_activations *input, int32_t first, int32_t tokens,
                row_sums *sums) {
  if (tokens >= 4) {
    tile_of(w, input, first, sums, 4);
    return 4;
  }
  if (tokens >= 2) {
    tile_of(w, input, first, sums, 2);
    return 2;
  }
  tile_of(w, input, first, sums, 1);
  return 1;
}

INLINE int32_t emit(const shoal_output *output, int64_t token, int64_t row, int rows,
                    const float *sums) {
  const int64_t place = token * output->stride + row;
  if (output->values) {
    for (int i = 0; i < rows; ++i) output->values[place + i] = sums[i];
    return SHOAL_FINE;
  }
  int32_t flags = SHOAL_FINE;
  for (int i = 0; i < rows; ++i) {
    const float units = sums[i] * output->scale;
    // Ordered comparison: false for NaN.
    if (__builtin_fabsf(units) < 0x1p44f) {
      output->sums[place + i] += vcvtnd_s64_f64(units);  // to nearest even
    } else {
      flags = SHOAL_OUT_OF_RANGE;
    }
  }
  return flags;
}

INLINE bool count_units(int32_t *counts, const float *sums, float scale) {
  int32x4_t whole[4];
  uint32x4_t small = vdupq_n_u32(~0u);
  UNROLL for (int i = 0; i < 4; ++i) {
    const float32x4_t units = vmulq_n_f32(vld1q_f32(sums + 4 * i), scale);
    // False for NaN.
    small = vandq_u32(small, vcaltq_f32(units, vdupq_n_f32(0x1p31f / COUNTED)));
    whole[i] = vcvtnq_s32_f32(units);
  }
  if (vminvq_u32(small) == 0) return false;
  UNROLL for (int i = 0; i < 4; ++i) {
    vst1q_s32(counts + 4 * i, vaddq_s32(vld1q_s32(counts + 4 * i), whole[i]));
  }
  return true;
}

INLINE void sum_halves(const int8_t *quants, int32_t *sums) {
  sums[0] = vaddlvq_s8(vld1q_s8(quants));
  sums[1] = vaddlvq_s8(vld1q_s8(quants + 16));
}

INLINE int32_t quantize_block(const float *block, float *scale, int8_t *quants) {
  uint32x4_t largest = vdupq_n_u32(0);
  UNROLL for (int i = 0; i < 32; i += 4) {
    const uint32x4_t bits = vreinterpretq_u32_f32(vld1q_f32(block + i));
    largest = vmaxq_u32(largest, vandq_u32(bits, vdupq_n_u32(0x7FFFFFFF)));
  }
  float inverse;
  const int32_t flags = block_scale(vmaxvq_u32(largest), scale, &inverse);
  // Products of the zero block may be NaN (0 * infinity): select, do not multiply.
  const int32x4_t some = vdupq_n_s32(*scale != 0 ? -1 : 0);
  UNROLL for (int i = 0; i < 32; i += 4) {
    const int32x4_t rounded = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(block + i), inverse));
    int32_t lanes[4];
    vst1q_s32(lanes, vandq_s32(rounded, some));
    UNROLL for (int j = 0; j < 4; ++j) quants[i + j] = (int8_t)lanes[j];
  }
  return flags;
}

#include "matrix_walk.h"

#pragma clang attribute pop
#endif
