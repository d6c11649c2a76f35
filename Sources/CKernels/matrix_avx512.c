// Matrix products with AVX-512 VNNI: one 64-byte line of weights is 16 rows by 4 columns and one
// vpdpbusd; the accumulator's lane is the row.
#include "matrix.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)

#include "matrix_driver.h"

#define SYMBOL(name) name##_avx512
enum { TOKENS = 12 };

// f16 scales of a part, 16 rows, as f32.
INLINE __m512 scales_at(const uint8_t *group, int part) {
  return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)(group + 32 * part)));
}

// acc = fma(Float(isum), dw * dx, acc) for each token: the only rounding steps of the product.
INLINE void accumulate(__m512 *acc, const __m512i *sums, __m512 scales, const uint8_t *records,
                       const shoal_part *part, int64_t stride, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m512 scale =
        _mm512_mul_ps(scales, _mm512_set1_ps(record_at(records, part, stride, t)->scale));
    acc[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[t]), scale, acc[t]);
  }
}

// Quants are stored unsigned, w = u - offset: starting at -offset * sum(x) makes the sum exact.
INLINE void start_sums(__m512i *sums, int offset, const uint8_t *records, const shoal_part *part,
                       int64_t stride, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    sums[t] = _mm512_set1_epi32(-offset * record_at(records, part, stride, t)->sum);
  }
}

INLINE void add_quad(__m512i *sums, __m512i weights, int quad, const uint8_t *records,
                     const shoal_part *part, int64_t stride, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m512i quants = _mm512_set1_epi32(quad_at(record_at(records, part, stride, t), quad));
    sums[t] = _mm512_dpbusd_epi32(sums[t], weights, quants);
  }
}

INLINE void tile_q8_0(const shoal_matrix *matrix, const uint8_t *group, const uint8_t *records,
                      int64_t stride, row_sums *out, const int tokens) {
  const uint8_t *line = group + matrix->quants_offset;
  __m512 acc[TOKENS];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t] = _mm512_setzero_ps();
  for (int p = 0; p < matrix->part_count; ++p) {
    const shoal_part *part = matrix->parts + p;
    const int quads = quads_of(part);
    __m512i sums[TOKENS];
    start_sums(sums, 128, records, part, stride, tokens);
    if (quads == 8) {
      UNROLL for (int q = 0; q < 8; ++q) {
        __builtin_prefetch(line + 64 * q + AHEAD);
        add_quad(sums, _mm512_load_si512(line + 64 * q), q, records, part, stride, tokens);
      }
    } else {
      for (int q = 0; q < quads; ++q) {
        add_quad(sums, _mm512_load_si512(line + 64 * q), q, records, part, stride, tokens);
      }
    }
    accumulate(acc, sums, scales_at(group, p), records, part, stride, tokens);
    line += 64 * quads;
  }
  UNROLL for (int t = 0; t < tokens; ++t) _mm512_store_ps(out[t], acc[t]);
}

INLINE void add_pair(__m512i *sums, const uint8_t *line, int pair, const uint8_t *records,
                     const shoal_part *part, int64_t stride, const int tokens) {
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  const __m512i both = _mm512_load_si512(line);
  add_quad(sums, _mm512_and_si512(both, nibble), 2 * pair, records, part, stride, tokens);
  add_quad(sums, _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble), 2 * pair + 1, records,
           part, stride, tokens);
}

INLINE void tile_q4_0(const shoal_matrix *matrix, const uint8_t *group, const uint8_t *records,
                      int64_t stride, row_sums *out, const int tokens) {
  const uint8_t *line = group + matrix->quants_offset;
  __m512 acc[TOKENS];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t] = _mm512_setzero_ps();
  for (int p = 0; p < matrix->part_count; ++p) {
    const shoal_part *part = matrix->parts + p;
    const int pairs = pairs_of(part);
    __m512i sums[TOKENS];
    start_sums(sums, 8, records, part, stride, tokens);
    if (pairs == 4) {
      UNROLL for (int k = 0; k < 4; ++k) {
        __builtin_prefetch(line + 64 * k + AHEAD);
        add_pair(sums, line + 64 * k, k, records, part, stride, tokens);
      }
    } else {
      for (int k = 0; k < pairs; ++k) {
        add_pair(sums, line + 64 * k, k, records, part, stride, tokens);
      }
    }
    accumulate(acc, sums, scales_at(group, p), records, part, stride, tokens);
    line += 64 * pairs;
  }
  UNROLL for (int t = 0; t < tokens; ++t) _mm512_store_ps(out[t], acc[t]);
}

// acc = fma(w, x, acc), columns ascending. `half` is constant in each use.
INLINE void tile_float(const shoal_matrix *matrix, const uint8_t *group, const float *values,
                       int64_t stride, row_sums *out, const int tokens, const bool half) {
  __m512 acc[TOKENS];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t] = _mm512_setzero_ps();
  for (int c = 0; c < matrix->columns; ++c) {
    __builtin_prefetch(group + (half ? 32 : 64) * (int64_t)c + AHEAD);
    const __m512 weights = half ? scales_at(group, c) : _mm512_load_ps(group + 64 * (int64_t)c);
    UNROLL for (int t = 0; t < tokens; ++t) {
      acc[t] = _mm512_fmadd_ps(weights, _mm512_set1_ps(values[t * stride + c]), acc[t]);
    }
  }
  UNROLL for (int t = 0; t < tokens; ++t) _mm512_store_ps(out[t], acc[t]);
}

#include "matrix_formats.h"

static int tile(const shoal_matrix *matrix, const uint8_t *group, const shoal_activations *input,
                int32_t first, int32_t tokens, row_sums *sums) {
  if (tokens >= 12) return tile_of(matrix, group, input, first, sums, 12);
  if (tokens >= 8) return tile_of(matrix, group, input, first, sums, 8);
  if (tokens >= 4) return tile_of(matrix, group, input, first, sums, 4);
  if (tokens >= 2) return tile_of(matrix, group, input, first, sums, 2);
  return tile_of(matrix, group, input, first, sums, 1);
}

INLINE int32_t emit(const shoal_output *output, int64_t token, int64_t row, int rows,
                    const float *sums) {
  const __mmask16 lanes = (__mmask16)((1u << rows) - 1);
  const __m512 acc = _mm512_load_ps(sums);
  const int64_t place = token * output->stride + row;
  if (output->values) {
    _mm512_mask_storeu_ps(output->values + place, lanes, acc);
    return SHOAL_FINE;
  }
  const __m512 units = _mm512_mul_ps(acc, _mm512_set1_ps(output->scale));
  // Ordered comparison: false for NaN.
  const __mmask16 good = _mm512_mask_cmp_ps_mask(lanes, _mm512_abs_ps(units),
                                                 _mm512_set1_ps(0x1p44f), _CMP_LT_OQ);
  enum { NEAREST_EVEN = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC };
  const __m512i low = _mm512_cvt_roundps_epi64(_mm512_castps512_ps256(units), NEAREST_EVEN);
  const __m512i high = _mm512_cvt_roundps_epi64(_mm512_extractf32x8_ps(units, 1), NEAREST_EVEN);
  int64_t *target = output->sums + place;
  const __mmask8 low_good = (__mmask8)good, high_good = (__mmask8)(good >> 8);
  _mm512_mask_storeu_epi64(
      target, low_good, _mm512_add_epi64(_mm512_maskz_loadu_epi64(low_good, target), low));
  _mm512_mask_storeu_epi64(
      target + 8, high_good,
      _mm512_add_epi64(_mm512_maskz_loadu_epi64(high_good, target + 8), high));
  return good == lanes ? SHOAL_FINE : SHOAL_OUT_OF_RANGE;
}

INLINE int32_t quantize_block(const float *block, float *scale, int8_t *quants) {
  const __m512 low = _mm512_loadu_ps(block), high = _mm512_loadu_ps(block + 16);
  const __m512i magnitude = _mm512_set1_epi32(0x7FFFFFFF);
  const __m512i largest =
      _mm512_max_epu32(_mm512_and_si512(_mm512_castps_si512(low), magnitude),
                       _mm512_and_si512(_mm512_castps_si512(high), magnitude));
  float inverse;
  const int32_t flags = block_scale(_mm512_reduce_max_epu32(largest), scale, &inverse);
  // Products of the zero block may be NaN (0 * infinity): select, do not multiply.
  const __mmask16 some = *scale != 0 ? 0xFFFF : 0;
  const __m512 factor = _mm512_set1_ps(inverse);
  const __m512i q0 = _mm512_maskz_cvtps_epi32(some, _mm512_mul_ps(low, factor));
  const __m512i q1 = _mm512_maskz_cvtps_epi32(some, _mm512_mul_ps(high, factor));
  _mm_storeu_si128((__m128i *)quants, _mm512_cvtepi32_epi8(q0));
  _mm_storeu_si128((__m128i *)(quants + 16), _mm512_cvtepi32_epi8(q1));
  return flags;
}

#include "matrix_walk.h"

#pragma clang attribute pop
#endif
