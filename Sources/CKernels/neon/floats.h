// Float formats: acc = fma(w, x, acc), columns ascending.

INLINE void add_fourth(float32x4_t column, int fourth, int c, const float *values, int64_t stride,
                       lanes *acc, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    acc[t].fourth[fourth] = vfmaq_n_f32(acc[t].fourth[fourth], column, values[t * stride + c]);
  }
}

INLINE void step_f32(const uint8_t *group, int c, const float *values, int64_t stride, lanes *acc,
                     const int tokens) {
  const float *column = (const float *)(group + 64 * (int64_t)c);
  UNROLL for (int f = 0; f < FOURTHS; ++f) {
    add_fourth(vld1q_f32(column + 4 * f), f, c, values, stride, acc, tokens);
  }
}

INLINE void step_f16(const uint8_t *group, int c, const float *values, int64_t stride, lanes *acc,
                     const int tokens) {
  const uint8_t *column = group + 32 * (int64_t)c;
  UNROLL for (int f = 0; f < FOURTHS; ++f) {
    add_fourth(half_lanes(column, f), f, c, values, stride, acc, tokens);
  }
}

INLINE void step_bf16(const uint8_t *group, int c, const float *values, int64_t stride,
                      lanes *acc, const int tokens) {
  const uint16_t *column = (const uint16_t *)(group + 32 * (int64_t)c);
  UNROLL for (int f = 0; f < FOURTHS; ++f) {
    const uint32x4_t bits = vshlq_n_u32(vmovl_u16(vld1_u16(column + 4 * f)), 16);
    add_fourth(vreinterpretq_f32_u32(bits), f, c, values, stride, acc, tokens);
  }
}
