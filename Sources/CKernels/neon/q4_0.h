// q4_0: a line is two quads of columns, the even one in the low nibbles; u = q + 8.

INLINE const uint8_t *step_q4_0(const weights *w, int p, const uint8_t *line,
                                token_records records, lanes *acc, const int tokens) {
  const shoal_part *part = w->matrix->parts + p;
  const int pairs = pairs_of(part);
  UNROLL for (int f = 0; f < FOURTHS; ++f) {
    int32x4_t sums[TOKENS];
    UNROLL for (int t = 0; t < tokens; ++t) {
      sums[t] = vdupq_n_s32(-8 * record_at(records, part, t)->sum);
    }
    for (int k = 0; k < pairs; ++k) {
      const uint8x16_t both = vld1q_u8(line + 64 * k + 16 * f);
      const uint8x16_t low = vandq_u8(both, vdupq_n_u8(0x0F)), high = vshrq_n_u8(both, 4);
      add_quad(sums, vreinterpretq_s8_u8(low), 2 * k, records, part, tokens);
      add_quad(sums, vreinterpretq_s8_u8(high), 2 * k + 1, records, part, tokens);
    }
    accumulate(acc, f, sums, half_lanes(w->group + 32 * p, f), records, part, tokens);
  }
  return line + 64 * pairs;
}
