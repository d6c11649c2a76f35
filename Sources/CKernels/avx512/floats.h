// Float formats: acc = fma(w, x, acc), columns ascending.

INLINE void add_column(lanes column, int c, const float *values, int64_t stride, lanes *acc,
                       const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    acc[t] = _mm512_fmadd_ps(column, _mm512_set1_ps(values[t * stride + c]), acc[t]);
  }
}

INLINE void step_f32(const uint8_t *group, int c, const float *values, int64_t stride, lanes *acc,
                     const int tokens) {
  add_column(_mm512_load_ps(group + 64 * (int64_t)c), c, values, stride, acc, tokens);
}

INLINE void step_f16(const uint8_t *group, int c, const float *values, int64_t stride, lanes *acc,
                     const int tokens) {
  add_column(half_lanes(group + 32 * (int64_t)c), c, values, stride, acc, tokens);
}

INLINE void step_bf16(const uint8_t *group, int c, const float *values, int64_t stride,
                      lanes *acc, const int tokens) {
  const __m256i halves = _mm256_load_si256((const __m256i *)(group + 32 * (int64_t)c));
  const __m512i bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(halves), 16);
  add_column(_mm512_castsi512_ps(bits), c, values, stride, acc, tokens);
}
