// q8_0: a line is a quad of columns, u = q + 128: flipping the top bit gives q.

INLINE const uint8_t *step_q8_0(const weights *w, int p, const uint8_t *line,
                                token_records records, lanes *acc, const int tokens) {
  const shoal_part *part = w->matrix->parts + p;
  const int quads = quads_of(part);
  UNROLL for (int f = 0; f < FOURTHS; ++f) {
    int32x4_t sums[TOKENS];
    UNROLL for (int t = 0; t < tokens; ++t) sums[t] = vdupq_n_s32(0);
    for (int q = 0; q < quads; ++q) {
      const uint8x16_t stored = vld1q_u8(line + 64 * q + 16 * f);
      const int8x16_t quants = vreinterpretq_s8_u8(veorq_u8(stored, vdupq_n_u8(0x80)));
      add_quad(sums, quants, q, records, part, tokens);
    }
    accumulate(acc, f, sums, half_lanes(w->group + 32 * p, f), records, part, tokens);
  }
  return line + 64 * quads;
}
