// q4_0: a line is two quads of columns, the even one in the low nibbles; u = q + 8.

INLINE void add_nibbles(integer_sums *sums, const uint8_t *line, int pair, token_records records,
                        const shoal_part *part, const int tokens) {
  const __m512i nibble = _mm512_set1_epi8(0x0F);
  const __m512i both = _mm512_load_si512(line);
  add_quad(sums, _mm512_and_si512(both, nibble), 2 * pair, records, part, tokens);
  add_quad(sums, _mm512_and_si512(_mm512_srli_epi16(both, 4), nibble), 2 * pair + 1, records,
           part, tokens);
}

INLINE const uint8_t *step_q4_0(const weights *w, int p, const uint8_t *line,
                                token_records records, lanes *acc, const int tokens) {
  const shoal_part *part = w->matrix->parts + p;
  const int pairs = pairs_of(part);
  integer_sums sums;
  start_sums(&sums, 3, records, part, tokens);
  if (pairs == 4) {
    UNROLL for (int k = 0; k < 4; ++k) {
      add_nibbles(&sums, line + 64 * k, k, records, part, tokens);
    }
  } else {
    for (int k = 0; k < pairs; ++k) {
      add_nibbles(&sums, line + 64 * k, k, records, part, tokens);
    }
  }
  accumulate(acc, &sums, half_lanes(w->group + 32 * p), records, part, tokens);
  return line + 64 * pairs;
}
