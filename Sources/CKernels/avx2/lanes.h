// Two registers are 16 rows: a line of 64 bytes is two halves of 8 rows by 4 columns.

typedef struct lanes {
  __m256 half[2];
} lanes;

enum { TOKENS = 4, HALF = 8, FOLLOWS_STREAMS = 0 };

INLINE lanes zero_lanes(void) {
  return (lanes){{_mm256_setzero_ps(), _mm256_setzero_ps()}};
}
INLINE void store_lanes(float *out, lanes acc) {
  _mm256_store_ps(out, acc.half[0]);
  _mm256_store_ps(out + HALF, acc.half[1]);
}

// 8 of 16 f16, as f32.
INLINE __m256 half_lanes(const uint8_t *halves, int half) {
  return _mm256_cvtph_ps(_mm_load_si128((const __m128i *)(halves + 16 * half)));
}

INLINE __m256i load_half(const uint8_t *line, int half) {
  return _mm256_load_si256((const __m256i *)(line + 32 * half));
}

// acc = fma(Float(isum), dw * dx, acc) for each token.
INLINE void accumulate(lanes *acc, int half, const __m256i *sums, __m256 scales,
                       token_records records, const shoal_part *part, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m256 scale =
        _mm256_mul_ps(scales, _mm256_set1_ps(record_at(records, part, t)->scale));
    acc[t].half[half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[t]), scale, acc[t].half[half]);
  }
}
