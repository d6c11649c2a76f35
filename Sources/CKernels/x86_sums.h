// Sums of quants with AVX2, which AVX-512 has as well.

// Sums of 16 and 16 quants: of unsigned bytes, eight at a time, that are 128 larger.
INLINE void sum_halves(const int8_t *quants, int32_t *sums) {
  const __m256i q = _mm256_loadu_si256((const __m256i *)quants);
  const __m256i larger = _mm256_xor_si256(q, _mm256_set1_epi8((char)0x80));
  const __m256i eights = _mm256_sad_epu8(larger, _mm256_setzero_si256());
  const __m256i pairs = _mm256_add_epi64(eights, _mm256_unpackhi_epi64(eights, eights));
  sums[0] = _mm256_extract_epi32(pairs, 0) - 128 * 16;
  sums[1] = _mm256_extract_epi32(pairs, 4) - 128 * 16;
}
