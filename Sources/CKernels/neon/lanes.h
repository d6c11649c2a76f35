// Four registers are 16 rows: a line of 64 bytes is four fourths of 4 rows by 4 columns.

enum { TOKENS = 4, FOURTHS = 4, FOLLOWS_STREAMS = 0 };

typedef struct lanes {
  float32x4_t fourth[FOURTHS];
} lanes;

INLINE lanes zero_lanes(void) {
  const float32x4_t zero = vdupq_n_f32(0);
  return (lanes){{zero, zero, zero, zero}};
}
INLINE void store_lanes(float *out, lanes acc) {
  UNROLL for (int f = 0; f < FOURTHS; ++f) vst1q_f32(out + 4 * f, acc.fourth[f]);
}

// 4 of 16 f16, as f32.
INLINE float32x4_t half_lanes(const uint8_t *halves, int fourth) {
  const uint16x4_t bits = vld1_u16((const uint16_t *)halves + 4 * fourth);
  return vcvt_f32_f16(vreinterpret_f16_u16(bits));
}

// acc = fma(Float(isum), dw * dx, acc) for each token.
INLINE void accumulate(lanes *acc, int fourth, const int32x4_t *sums, float32x4_t scales,
                       token_records records, const shoal_part *part, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const float32x4_t scale = vmulq_n_f32(scales, record_at(records, part, t)->scale);
    acc[t].fourth[fourth] = vfmaq_f32(acc[t].fourth[fourth], vcvtq_f32_s32(sums[t]), scale);
  }
}

// Adds four columns: signed bytes, multiplied exactly.
INLINE void add_quad(int32x4_t *sums, int8x16_t quants, int quad, token_records records,
                     const shoal_part *part, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const int32_t x = quad_at(record_at(records, part, t), quad);
    sums[t] = vdotq_s32(sums[t], quants, vreinterpretq_s8_s32(vdupq_n_s32(x)));
  }
}
