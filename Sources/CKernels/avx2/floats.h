// Float formats: acc = fma(w, x, acc), columns ascending.

INLINE void add_column(__m256 low, __m256 high, int c, const float *values, int64_t stride,
                       lanes *acc, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m256 value = _mm256_set1_ps(values[t * stride + c]);
    acc[t].half[0] = _mm256_fmadd_ps(low, value, acc[t].half[0]);
    acc[t].half[1] = _mm256_fmadd_ps(high, value, acc[t].half[1]);
  }
}

INLINE void step_f32(const uint8_t *group, int c, const float *values, int64_t stride, lanes *acc,
                     const int tokens) {
  const float *column = (const float *)(group + 64 * (int64_t)c);
  add_column(_mm256_load_ps(column), _mm256_load_ps(column + HALF), c, values, stride, acc,
             tokens);
}

INLINE void step_f16(const uint8_t *group, int c, const float *values, int64_t stride, lanes *acc,
                     const int tokens) {
  const uint8_t *column = group + 32 * (int64_t)c;
  add_column(half_lanes(column, 0), half_lanes(column, 1), c, values, stride, acc, tokens);
}

// 8 of 16 bf16, as f32.
INLINE __m256 brain_lanes(const uint8_t *halves, int half) {
  const __m128i bits = _mm_load_si128((const __m128i *)(halves + 16 * half));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
}

INLINE void step_bf16(const uint8_t *group, int c, const float *values, int64_t stride,
                      lanes *acc, const int tokens) {
  const uint8_t *column = group + 32 * (int64_t)c;
  add_column(brain_lanes(column, 0), brain_lanes(column, 1), c, values, stride, acc, tokens);
}
