// q4_0: a line is two quads of columns, the even one in the low nibbles; u = q + 8.

// Nibbles are small: all eight quads of a part fit 16 bits (15 * 127 * 2 * 8 = 30,480).
INLINE void add_nibbles(__m256i *pairs, __m256i both, int pair, token_records records,
                        const shoal_part *part, const int tokens) {
  const __m256i nibble = _mm256_set1_epi8(0x0F);
  const __m256i low = _mm256_and_si256(both, nibble);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(both, 4), nibble);
  UNROLL for (int t = 0; t < tokens; ++t) {
    const shoal_record *record = record_at(records, part, t);
    const __m256i first = _mm256_set1_epi32(quad_at(record, 2 * pair));
    const __m256i second = _mm256_set1_epi32(quad_at(record, 2 * pair + 1));
    pairs[t] = _mm256_add_epi16(pairs[t], _mm256_add_epi16(_mm256_maddubs_epi16(low, first),
                                                           _mm256_maddubs_epi16(high, second)));
  }
}

INLINE const uint8_t *step_q4_0(const weights *w, int p, const uint8_t *line,
                                token_records records, lanes *acc, const int tokens) {
  const shoal_part *part = w->matrix->parts + p;
  const int pair_count = pairs_of(part);
  const __m256i ones = _mm256_set1_epi16(1);
  UNROLL for (int half = 0; half < 2; ++half) {
    __m256i pairs[TOKENS], sums[TOKENS];
    UNROLL for (int t = 0; t < tokens; ++t) pairs[t] = _mm256_setzero_si256();
    for (int k = 0; k < pair_count; ++k) {
      add_nibbles(pairs, load_half(line + 64 * k, half), k, records, part, tokens);
    }
    UNROLL for (int t = 0; t < tokens; ++t) {
      const int32_t start = -8 * record_at(records, part, t)->sum;
      sums[t] = _mm256_add_epi32(_mm256_set1_epi32(start), _mm256_madd_epi16(pairs[t], ones));
    }
    accumulate(acc, half, sums, half_lanes(w->group + 32 * p, half), records, part, tokens);
  }
  return line + 64 * pair_count;
}
