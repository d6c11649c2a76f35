// q8_0: a line is a quad of columns, u = q + 128.

INLINE const uint8_t *step_q8_0(const weights *w, int p, const uint8_t *line,
                                token_records records, lanes *acc, const int tokens) {
  const shoal_part *part = w->matrix->parts + p;
  const int quads = quads_of(part);
  integer_sums sums;
  start_sums(&sums, 7, records, part, tokens);
  if (quads == 8) {
    UNROLL for (int q = 0; q < 8; ++q) {
      add_quad(&sums, _mm512_load_si512(line + 64 * q), q, records, part, tokens);
    }
  } else {
    for (int q = 0; q < quads; ++q) {
      add_quad(&sums, _mm512_load_si512(line + 64 * q), q, records, part, tokens);
    }
  }
  accumulate(acc, &sums, half_lanes(w->group + 32 * p), records, part, tokens);
  return line + 64 * quads;
}
