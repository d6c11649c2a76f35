// Matrix products with NEON and the dot product: a line of 64 bytes is four vectors of 4 rows by 4
// columns; sdot multiplies signed bytes exactly.
#include "matrix.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#include "matrix_driver.h"

#define SYMBOL(name) name##_neon
enum { TOKENS = 4, FOURTHS = 4 };

// Rows 4 * fourth and up of a column or part of f16, as f32.
INLINE float32x4_t half_floats(const uint8_t *halves, int fourth) {
  const uint16x4_t bits = vld1_u16((const uint16_t *)halves + 4 * fourth);
  return vcvt_f32_f16(vreinterpret_f16_u16(bits));
}

INLINE int8x16_t quad_of(const shoal_record *record, int quad) {
  return vreinterpretq_s8_s32(vdupq_n_s32(quad_at(record, quad)));
}

// acc = fma(Float(isum), dw * dx, acc) for each token.
INLINE void accumulate(float32x4_t (*acc)[FOURTHS], int fourth, const int32x4_t *sums,
                       float32x4_t scales, const uint8_t *records, const shoal_part *part,
                       int64_t stride, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const float32x4_t scale = vmulq_n_f32(scales, record_at(records, part, stride, t)->scale);
    acc[t][fourth] = vfmaq_f32(acc[t][fourth], vcvtq_f32_s32(sums[t]), scale);
  }
}

INLINE void add_quad(int32x4_t *sums, int8x16_t weights, int quad, const uint8_t *records,
                     const shoal_part *part, int64_t stride, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    sums[t] = vdotq_s32(sums[t], weights, quad_of(record_at(records, part, stride, t), quad));
  }
}

INLINE void start(float32x4_t (*acc)[FOURTHS], const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    UNROLL for (int f = 0; f < FOURTHS; ++f) acc[t][f] = vdupq_n_f32(0);
  }
}

INLINE void finish(row_sums *out, float32x4_t (*acc)[FOURTHS], const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    UNROLL for (int f = 0; f < FOURTHS; ++f) vst1q_f32(out[t] + 4 * f, acc[t][f]);
  }
}

INLINE void tile_q8_0(const shoal_matrix *matrix, const uint8_t *group, const uint8_t *records,
                      int64_t stride, row_sums *out, const int tokens) {
  const uint8_t *line = group + matrix->quants_offset;
  float32x4_t acc[TOKENS][FOURTHS];
  start(acc, tokens);
  for (int p = 0; p < matrix->part_count; ++p) {
    const shoal_part *part = matrix->parts + p;
    const int quads = quads_of(part);
    UNROLL for (int f = 0; f < FOURTHS; ++f) {
      int32x4_t sums[TOKENS];
      UNROLL for (int t = 0; t < tokens; ++t) sums[t] = vdupq_n_s32(0);
      for (int q = 0; q < quads; ++q) {
        // u = w + 128: flipping the top bit gives w.
        const uint8x16_t stored = vld1q_u8(line + 64 * q + 16 * f);
        const int8x16_t weights = vreinterpretq_s8_u8(veorq_u8(stored, vdupq_n_u8(0x80)));
        add_quad(sums, weights, q, records, part, stride, tokens);
      }
      accumulate(acc, f, sums, half_floats(group + 32 * p, f), records, part, stride, tokens);
    }
    line += 64 * quads;
  }
  finish(out, acc, tokens);
}

INLINE void tile_q4_0(const shoal_matrix *matrix, const uint8_t *group, const uint8_t *records,
                      int64_t stride, row_sums *out, const int tokens) {
  const uint8_t *line = group + matrix->quants_offset;
  float32x4_t acc[TOKENS][FOURTHS];
  start(acc, tokens);
  for (int p = 0; p < matrix->part_count; ++p) {
    const shoal_part *part = matrix->parts + p;
    const int pairs = pairs_of(part);
    UNROLL for (int f = 0; f < FOURTHS; ++f) {
      int32x4_t sums[TOKENS];
      UNROLL for (int t = 0; t < tokens; ++t) {
        sums[t] = vdupq_n_s32(-8 * record_at(records, part, stride, t)->sum);
      }
      for (int k = 0; k < pairs; ++k) {
        const uint8x16_t both = vld1q_u8(line + 64 * k + 16 * f);
        const uint8x16_t low = vandq_u8(both, vdupq_n_u8(0x0F)), high = vshrq_n_u8(both, 4);
        add_quad(sums, vreinterpretq_s8_u8(low), 2 * k, records, part, stride, tokens);
        add_quad(sums, vreinterpretq_s8_u8(high), 2 * k + 1, records, part, stride, tokens);
      }
      accumulate(acc, f, sums, half_floats(group + 32 * p, f), records, part, stride, tokens);
    }
    line += 64 * pairs;
  }
  finish(out, acc, tokens);
}

// acc = fma(w, x, acc), columns ascending. `is_half` is constant in each use.
INLINE void tile_float(const shoal_matrix *matrix, const uint8_t *group, const float *values,
                       int64_t stride, row_sums *out, const int tokens, const bool is_half) {
  float32x4_t acc[TOKENS][FOURTHS];
  start(acc, tokens);
  for (int c = 0; c < matrix->columns; ++c) {
    const uint8_t *column = group + (is_half ? 32 : 64) * (int64_t)c;
    UNROLL for (int f = 0; f < FOURTHS; ++f) {
      const float32x4_t weights =
          is_half ? half_floats(column, f) : vld1q_f32((const float *)column + 4 * f);
      UNROLL for (int t = 0; t < tokens; ++t) {
        acc[t][f] = vfmaq_n_f32(acc[t][f], weights, values[t * stride + c]);
      }
    }
  }
  finish(out, acc, tokens);
}

#include "matrix_formats.h"

static int tile(const shoal_matrix *matrix, const uint8_t *group, const shoal_activations *input,
                int32_t first, int32_t tokens, row_sums *sums) {
  if (tokens >= 4) return tile_of(matrix, group, input, first, sums, 4);
  if (tokens >= 2) return tile_of(matrix, group, input, first, sums, 2);
  return tile_of(matrix, group, input, first, sums, 1);
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
