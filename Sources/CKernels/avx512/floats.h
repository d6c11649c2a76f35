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
