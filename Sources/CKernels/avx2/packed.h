// What matrix_packed.h is made of: two slices of 8 rows.

typedef __m256i bytes;
typedef __m256 floats;
typedef struct quad_sums {
  __m256i of[TOKENS];
} quad_sums;

enum { SLICES = 2, VALUES_OFFSET = 0 };

INLINE bytes load_bytes(const uint8_t *line, int slice) { return load_half(line, slice); }
// (u >> right) & mask in each byte; a negative `right` shifts to the left.
INLINE bytes shifted(bytes u, const int right, const int mask) {
  if (right > 0) u = _mm256_srli_epi16(u, right);
  if (right < 0) u = _mm256_slli_epi16(u, -right);
  return _mm256_and_si256(u, _mm256_set1_epi8((char)mask));
}
INLINE bytes either(bytes a, bytes b) { return _mm256_or_si256(a, b); }
// Signed values.
INLINE bytes looked_up(bytes u) {
  const __m128i table = _mm_xor_si128(_mm_loadu_si128((const __m128i *)value_table),
                                      _mm_set1_epi8((char)0x80));
  return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(table), u);
}

INLINE void start_quads(quad_sums *sums, int token, const int offset, int sum) {
  sums->of[token] = _mm256_set1_epi32(-offset * sum);
}

// Products of a quad, added in pairs to 16 bits: at most 63 * 127 * 2 = 16,002, or, for values,
// which are signed and up to 127, with the sign on the activation, 32,258.
INLINE __m256i quad_products(bytes u, int32_t quad, const bool is_large) {
  const __m256i x = _mm256_set1_epi32(quad);
  return is_large ? _mm256_maddubs_epi16(_mm256_abs_epi8(u), _mm256_sign_epi8(x, u))
                  : _mm256_maddubs_epi16(u, x);
}
INLINE void add_single(quad_sums *sums, bytes u, int quad, token_records records,
                       const shoal_part *part, const int tokens, const bool is_large) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const shoal_record *record = record_at(records, part, t);
    const __m256i products = quad_products(u, quad_at(record, quad), is_large);
    const __m256i wide = _mm256_madd_epi16(products, _mm256_set1_epi16(1));
    sums->of[t] = _mm256_add_epi32(sums->of[t], wide);
  }
}
// Two quads of small quants fit 16 bits: 32,004.
INLINE void add_pair(quad_sums *sums, bytes even, bytes odd, int quad, token_records records,
                     const shoal_part *part, const int tokens, const bool is_large) {
  if (is_large) {
    add_single(sums, even, quad, records, part, tokens, is_large);
    add_single(sums, odd, quad + 1, records, part, tokens, is_large);
    return;
  }
  UNROLL for (int t = 0; t < tokens; ++t) {
    const shoal_record *record = record_at(records, part, t);
    const __m256i products = _mm256_add_epi16(quad_products(even, quad_at(record, quad), false),
                                              quad_products(odd, quad_at(record, quad + 1), false));
    const __m256i wide = _mm256_madd_epi16(products, _mm256_set1_epi16(1));
    sums->of[t] = _mm256_add_epi32(sums->of[t], wide);
  }
}
INLINE floats sum_floats(const quad_sums *sums, int token, const int tokens) {
  (void)tokens;
  return _mm256_cvtepi32_ps(sums->of[token]);
}

INLINE floats *slice_of(lanes *acc, int slice) { return &acc->half[slice]; }
INLINE floats half_slice(const uint8_t *halves, int slice) { return half_lanes(halves, slice); }
INLINE floats signed_slice(const uint8_t *integers, int slice) {
  const __m128i rows = _mm_loadl_epi64((const __m128i *)(integers + 8 * slice));
  return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(rows));
}
INLINE floats unsigned_slice(const uint8_t *integers, int slice) {
  const __m128i rows = _mm_loadl_epi64((const __m128i *)(integers + 8 * slice));
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(rows));
}
INLINE floats nibble_slice(const uint8_t *integers, int slice, const int shift) {
  const __m128i rows = _mm_loadl_epi64((const __m128i *)(integers + 8 * slice));
  const __m256i wide = _mm256_srli_epi32(_mm256_cvtepu8_epi32(rows), shift);
  return _mm256_cvtepi32_ps(_mm256_and_si256(wide, _mm256_set1_epi32(15)));
}

INLINE floats splat(float x) { return _mm256_set1_ps(x); }
INLINE floats multiplied(floats a, floats b) { return _mm256_mul_ps(a, b); }
INLINE floats scaled(floats a, float b) { return _mm256_mul_ps(a, _mm256_set1_ps(b)); }
INLINE floats fma_floats(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
// c - a b, rounded once.
INLINE floats subtract_product(floats a, floats b, floats c) { return _mm256_fnmadd_ps(a, b, c); }
