// q8_0: a line is a quad of columns, u = q + 128.

// u * x would saturate 16 bits (255 * 127 * 2), so the sign moves from the weight to the
// activation: |w| * sign(x, w) is at most 128 * 127 * 2 = 32,512.
INLINE void add_quad(__m256i *sums, __m256i stored, int quad, token_records records,
                     const shoal_part *part, const int tokens) {
  const __m256i quants = _mm256_xor_si256(stored, _mm256_set1_epi8((char)0x80));
  const __m256i magnitudes = _mm256_abs_epi8(quants);
  const __m256i ones = _mm256_set1_epi16(1);
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m256i x = _mm256_set1_epi32(quad_at(record_at(records, part, t), quad));
    const __m256i pairs = _mm256_maddubs_epi16(magnitudes, _mm256_sign_epi8(x, quants));
    sums[t] = _mm256_add_epi32(sums[t], _mm256_madd_epi16(pairs, ones));
  }
}

INLINE const uint8_t *step_q8_0(const weights *w, int p, const uint8_t *line,
                                token_records records, lanes *acc, const int tokens) {
  const shoal_part *part = w->matrix->parts + p;
  const int quads = quads_of(part);
  UNROLL for (int half = 0; half < 2; ++half) {
    __m256i sums[TOKENS];
    UNROLL for (int t = 0; t < tokens; ++t) sums[t] = _mm256_setzero_si256();
    for (int q = 0; q < quads; ++q) {
      add_quad(sums, load_half(line + 64 * q, half), q, records, part, tokens);
    }
    accumulate(acc, half, sums, half_lanes(w->group + 32 * p, half), records, part, tokens);
  }
  return line + 64 * quads;
}
