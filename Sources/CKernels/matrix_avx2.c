// Matrix products with AVX2: a line of 64 bytes is two vectors of 8 rows by 4 columns.
#include "matrix.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "matrix_driver.h"

#define SYMBOL(name) name##_avx2
enum { TOKENS = 4, HALF = 8 };

INLINE __m256 half_floats(const uint8_t *halves) {
  return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)halves));
}

// acc = fma(Float(isum), dw * dx, acc) for each token.
INLINE void accumulate(__m256 (*acc)[2], int half, const __m256i *sums, __m256 scales,
                       const uint8_t *records, const shoal_part *part, int64_t stride,
                       const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m256 scale =
        _mm256_mul_ps(scales, _mm256_set1_ps(record_at(records, part, stride, t)->scale));
    acc[t][half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t]), scale, acc[t][half]);
  }
}

// u * x would saturate 16 bits (255 * 127 * 2), so the sign moves from the weight to the
// activation: |w| * sign(x, w) is at most 128 * 127 * 2 = 32,512.
INLINE void add_quad(__m256i *sums, __m256i stored, int quad, const uint8_t *records,
                     const shoal_part *part, int64_t stride, const int tokens) {
  const __m256i weights = _mm256_xor_si256(stored, _mm256_set1_epi8((char)0x80));
  const __m256i magnitudes = _mm256_abs_epi8(weights);
  const __m256i ones = _mm256_set1_epi16(1);
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m256i quants = _mm256_set1_epi32(quad_at(record_at(records, part, stride, t), quad));
    const __m256i pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(quants, weights));
    sums[t] = _mm256_add_epi32(sums[t], _mm256_madd_epi16(pairs, ones));
  }
}

INLINE void tile_q8_0(const shoal_matrix *matrix, const uint8_t *group, const uint8_t *records,
                      int64_t stride, row_sums *out, const int tokens) {
  const uint8_t *line = group + matrix->quants_offset;
  __m256 acc[TOKENS][2];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t][0] = acc[t][1] = _mm256_setzero_ps();
  for (int p = 0; p < matrix->part_count; ++p) {
    const shoal_part *part = matrix->parts + p;
    const int quads = quads_of(part);
    UNROLL for (int half = 0; half < 2; ++half) {
      __m256i sums[TOKENS];
      UNROLL for (int t = 0; t < tokens; ++t) sums[t] = _mm256_setzero_si256();
      for (int q = 0; q < quads; ++q) {
        if (half == 0) __builtin_prefetch(line + 64 * q + AHEAD);
        const __m256i stored = _mm256_load_si256((const __m256i *)(line + 64 * q + 32 * half));
        add_quad(sums, stored, q, records, part, stride, tokens);
      }
      accumulate(acc, half, sums, half_floats(group + 32 * p + 16 * half), records, part, stride,
                 tokens);
    }
    line += 64 * quads;
  }
  UNROLL for (int t = 0; t < tokens; ++t) {
    _mm256_store_ps(out[t], acc[t][0]);
    _mm256_store_ps(out[t] + HALF, acc[t][1]);
  }
}

// Nibbles are small: all eight quads of a part fit 16 bits (15 * 127 * 2 * 8 = 30,480).
INLINE void add_pair(__m256i *pairs, __m256i both, int pair, const uint8_t *records,
                     const shoal_part *part, int64_t stride, const int tokens) {
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  const __m256i low = _mm256_and_si256(both, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
  UNROLL for (int t = 0; t < tokens; ++t) {
    const shoal_record *record = record_at(records, part, stride, t);
    const __m256i first = _mm256_set1_epi32(quad_at(record, 2 * pair));
    const __m256i second = _mm256_set1_epi32(quad_at(record, 2 * pair + 1));
    pairs[t] = _mm256_add_epi16(pairs[t], _mm256_add_epi16(_mm256_maddubs_epi16(low, first),
                                                           _mm256_maddubs_epi16(high, second)));
  }
}

INLINE void tile_q4_0(const shoal_matrix *matrix, const uint8_t *group, const uint8_t *records,
                      int64_t stride, row_sums *out, const int tokens) {
  const uint8_t *line = group + matrix->quants_offset;
  const __m256i ones = _mm256_set1_epi16(1);
  __m256 acc[TOKENS][2];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t][0] = acc[t][1] = _mm256_setzero_ps();
  for (int p = 0; p < matrix->part_count; ++p) {
    const shoal_part *part = matrix->parts + p;
    const int pair_count = pairs_of(part);
    UNROLL for (int half = 0; half < 2; ++half) {
      __m256i pairs[TOKENS], sums[TOKENS];
      UNROLL for (int t = 0; t < tokens; ++t) pairs[t] = _mm256_setzero_si256();
      for (int k = 0; k < pair_count; ++k) {
        if (half == 0) __builtin_prefetch(line + 64 * k + AHEAD);
        const __m256i both = _mm256_load_si256((const __m256i *)(line + 64 * k + 32 * half));
        add_pair(pairs, both, k, records, part, stride, tokens);
      }
      UNROLL for (int t = 0; t < tokens; ++t) {
        const int32_t start = -8 * record_at(records, part, stride, t)->sum;
        sums[t] =
            _mm256_add_epi32(_mm256_set1_epi32(start), _mm256_madd_epi16(pairs[t], ones));
      }
      accumulate(acc, half, sums, half_floats(group + 32 * p + 16 * half), records, part, stride,
                 tokens);
    }
    line += 64 * pair_count;
  }
  UNROLL for (int t = 0; t < tokens; ++t) {
    _mm256_store_ps(out[t], acc[t][0]);
    _mm256_store_ps(out[t] + HALF, acc[t][1]);
  }
}

// acc = fma(w, x, acc), columns ascending. `is_half` is constant in each use.
INLINE void tile_float(const shoal_matrix *matrix, const uint8_t *group, const float *values,
                       int64_t stride, row_sums *out, const int tokens, const bool is_half) {
  __m256 acc[TOKENS][2];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t][0] = acc[t][1] = _mm256_setzero_ps();
  for (int c = 0; c < matrix->columns; ++c) {
    const uint8_t *column = group + (is_half ? 32 : 64) * (int64_t)c;
    __builtin_prefetch(column + AHEAD);
    const __m256 low = is_half ? half_floats(column) : _mm256_load_ps((const float *)column);
    const __m256 high =
        is_half ? half_floats(column + 16) : _mm256_load_ps((const float *)column + HALF);
    UNROLL for (int t = 0; t < tokens; ++t) {
      const __m256 value = _mm256_set1_ps(values[t * stride + c]);
      acc[t][0] = _mm256_fmadd_ps(low, value, acc[t][0]);
      acc[t][1] = _mm256_fmadd_ps(high, value, acc[t][1]);
    }
  }
  UNROLL for (int t = 0; t < tokens; ++t) {
    _mm256_store_ps(out[t], acc[t][0]);
    _mm256_store_ps(out[t] + HALF, acc[t][1]);
  }
}

#include "matrix_formats.h"

static int tile(const shoal_matrix *matrix, const uint8_t *group, const shoal_activations *input,
                int32_t first, int32_t tokens, row_sums *sums) {
  if (tokens >= 4) return tile_of(matrix, group, input, first, sums, 4);
  if (tokens >= 2) return tile_of(matrix, group, input, first, sums, 2);
  return tile_of(matrix, group, input, first, sums, 1);
}

// Four units, |units| < 2^44, as Int64: in f64 the sum with 1.5 * 2^52 is the integer's bits.
INLINE __m256i rounded(__m128 units) {
  const __m256d magic = _mm256_set1_pd(0x1.8p52);
  return _mm256_sub_epi64(_mm256_castpd_si256(_mm256_add_pd(_mm256_cvtps_pd(units), magic)),
                          _mm256_castpd_si256(magic));
}

INLINE int32_t emit(const shoal_output *output, int64_t token, int64_t row, int rows,
                    const float *sums) {
  const int64_t place = token * output->stride + row;
  if (output->values) {
    for (int i = 0; i < rows; ++i) output->values[place + i] = sums[i];
    return SHOAL_FINE;
  }
  unsigned bad = 0;
  _Alignas(32) int64_t integers[ROWS];
  const __m128 limit = _mm_set1_ps(0x1p44f), sign = _mm_set1_ps(-0.0f);
  UNROLL for (int i = 0; i < ROWS; i += 4) {
    const __m128 units = _mm_mul_ps(_mm_load_ps(sums + i), _mm_set1_ps(output->scale));
    // Ordered comparison: false for NaN.
    const __m128 good = _mm_cmplt_ps(_mm_andnot_ps(sign, units), limit);
    bad |= (unsigned)(~_mm_movemask_ps(good) & 0xF) << i;
    _mm256_store_si256((__m256i *)(integers + i), rounded(_mm_and_ps(units, good)));
  }
  for (int i = 0; i < rows; ++i) output->sums[place + i] += integers[i];
  return bad & ((1u << rows) - 1) ? SHOAL_OUT_OF_RANGE : SHOAL_FINE;
}

INLINE int32_t quantize_block(const float *block, float *scale, int8_t *quants) {
  const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
  __m256i largest = _mm256_setzero_si256();
  UNROLL for (int i = 0; i < 32; i += HALF) {
    const __m256i bits = _mm256_castps_si256(_mm256_loadu_ps(block + i));
    largest = _mm256_max_epu32(largest, _mm256_and_si256(bits, magnitude));
  }
  uint32_t lanes[HALF], most = 0;
  _mm256_storeu_si256((__m256i *)lanes, largest);
  UNROLL for (int i = 0; i < HALF; ++i) most = lanes[i] > most ? lanes[i] : most;
  float inverse;
  const int32_t flags = block_scale(most, scale, &inverse);
  // Products of the zero block may be NaN (0 * infinity): select, do not multiply.
  const __m256i some = _mm256_set1_epi32(*scale != 0 ? -1 : 0);
  UNROLL for (int i = 0; i < 32; i += HALF) {
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(block + i), _mm256_set1_ps(inverse));
    int32_t rounded_quants[HALF];
    _mm256_storeu_si256((__m256i *)rounded_quants,
                        _mm256_and_si256(some, _mm256_cvtps_epi32(scaled)));
    UNROLL for (int j = 0; j < HALF; ++j) quants[i + j] = (int8_t)rounded_quants[j];
  }
  return flags;
}

#include "matrix_walk.h"

#pragma clang attribute pop
#endif
