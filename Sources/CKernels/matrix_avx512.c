// Matrix products with AVX-512 VNNI.
#include "matrix.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), \
    apply_to = function)

#include "matrix_driver.h"
#define SYMBOL(name) name##_avx512
#include "avx512/lanes.h"

#include "avx512/floats.h"
#include "avx512/q4_0.h"
#include "avx512/q8_0.h"
#include "avx512/packed.h"
#include "matrix_packed.h"

#include "matrix_formats.h"
#include "matrix_quants.h"

// Sixteen tokens are twice eight: a tile of four is much slower than one of eight.
static int tile(const weights *w, const shoal_activations *input, int32_t first, int32_t tokens,
                row_sums *sums) {
  if (tokens >= 12 && tokens != 16) {
    tile_of(w, input, first, sums, 12);
    return 12;
  }
  if (tokens >= 8) {
    tile_of(w, input, first, sums, 8);
    return 8;
  }
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

INLINE bool count_units(int32_t *counts, const float *sums, float scale) {
  const __m512 units = _mm512_mul_ps(_mm512_load_ps(sums), _mm512_set1_ps(scale));
  // Ordered comparison: false for NaN.
  const __mmask16 small = _mm512_cmp_ps_mask(_mm512_abs_ps(units),
                                             _mm512_set1_ps(0x1p31f / COUNTED), _CMP_LT_OQ);
  if (small != 0xFFFF) return false;
  const __m512i whole = _mm512_cvtps_epi32(units);
  _mm512_store_si512(counts, _mm512_add_epi32(_mm512_load_si512(counts), whole));
  return true;
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

#include "x86_sums.h"
#include "matrix_walk.h"

#pragma clang attribute pop
#endif
