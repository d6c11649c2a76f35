// Matrix products with AVX2.
#include "matrix.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma STDC FP_CONTRACT OFF
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)

#include "matrix_driver.h"
#define SYMBOL(name) name##_avx2
#include "avx2/lanes.h"

#include "avx2/floats.h"
#include "avx2/q4_0.h"
#include "avx2/q8_0.h"
#include "avx2/packed.h"
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

INLINE bool count_units(int32_t *counts, const float *sums, float scale) {
  __m256i whole[2];
  UNROLL for (int half = 0; half < 2; ++half) {
    const __m256 units =
        _mm256_mul_ps(_mm256_load_ps(sums + HALF * half), _mm256_set1_ps(scale));
    // Ordered comparison: false for NaN.
    const __m256 small = _mm256_cmp_ps(_mm256_andnot_ps(_mm256_set1_ps(-0.0f), units),
                                       _mm256_set1_ps(0x1p31f / COUNTED), _CMP_LT_OQ);
    if (_mm256_movemask_ps(small) != 0xFF) return false;
    whole[half] = _mm256_cvtps_epi32(units);
  }
  UNROLL for (int half = 0; half < 2; ++half) {
    __m256i *place = (__m256i *)(counts + HALF * half);
    _mm256_store_si256(place, _mm256_add_epi32(_mm256_load_si256(place), whole[half]));
  }
  return true;
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
  __m256i integers[32 / HALF];
  UNROLL for (int i = 0; i < 32; i += HALF) {
    const __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(block + i), _mm256_set1_ps(inverse));
    integers[i / HALF] = _mm256_and_si256(some, _mm256_cvtps_epi32(scaled));
  }
  // Packing works within 128 bits: the last step puts the fours in order.
  const __m256i low = _mm256_packs_epi32(integers[0], integers[1]);
  const __m256i high = _mm256_packs_epi32(integers[2], integers[3]);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  _mm256_storeu_si256((__m256i *)quants,
                      _mm256_permutevar8x32_epi32(_mm256_packs_epi16(low, high), order));
  return flags;
}

#include "x86_sums.h"
#include "matrix_walk.h"

#pragma clang attribute pop
#endif
