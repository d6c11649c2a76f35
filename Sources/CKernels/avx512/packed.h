// What matrix_packed.h is made of: one slice of 16 rows.

typedef __m512i bytes;
typedef __m512 floats;
typedef integer_sums quad_sums;

enum { SLICES = 1, VALUES_OFFSET = 128 };

INLINE bytes load_bytes(const uint8_t *line, int slice) {
  (void)slice;
  return _mm512_load_si512(line);
}
// (u >> right) & mask in each byte; a negative `right` shifts to the left.
INLINE bytes shifted(bytes u, const int right, const int mask) {
  if (right > 0) u = _mm512_srli_epi16(u, (unsigned)right);
  if (right < 0) u = _mm512_slli_epi16(u, (unsigned)-right);
  return _mm512_and_si512(u, _mm512_set1_epi8((char)mask));
}
INLINE bytes either(bytes a, bytes b) { return _mm512_or_si512(a, b); }
// Unsigned values, 128 above those meant, since vpdpbusd takes unsigned weights.
INLINE bytes looked_up(bytes u) {
  const __m128i table = _mm_loadu_si128((const __m128i *)value_table);
  return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(table), u);
}

INLINE void start_quads(quad_sums *sums, int token, const int offset, int sum) {
  sums->of[token] = offset == 0 ? _mm512_setzero_si512() : _mm512_set1_epi32(-offset * sum);
  if (token == 0) sums->odd = _mm512_setzero_si512();
}
INLINE void add_single(quad_sums *sums, bytes u, int quad, token_records records,
                       const shoal_part *part, const int tokens, const bool is_large) {
  (void)is_large;
  add_quad(sums, u, quad, records, part, tokens);
}
INLINE void add_pair(quad_sums *sums, bytes even, bytes odd, int quad, token_records records,
                     const shoal_part *part, const int tokens, const bool is_large) {
  (void)is_large;
  add_quad(sums, even, quad, records, part, tokens);
  add_quad(sums, odd, quad + 1, records, part, tokens);
}
INLINE floats sum_floats(const quad_sums *sums, int token, const int tokens) {
  const __m512i sum =
      tokens == 1 ? _mm512_add_epi32(sums->of[token], sums->odd) : sums->of[token];
  return _mm512_cvtepi32_ps(sum);
}

INLINE floats *slice_of(lanes *acc, int slice) { return acc + slice; }
INLINE floats half_slice(const uint8_t *halves, int slice) {
  return half_lanes(halves + 32 * slice);
}
INLINE floats signed_slice(const uint8_t *integers, int slice) {
  const __m128i rows = _mm_load_si128((const __m128i *)(integers + 16 * slice));
  return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(rows));
}
INLINE floats unsigned_slice(const uint8_t *integers, int slice) {
  const __m128i rows = _mm_load_si128((const __m128i *)(integers + 16 * slice));
  return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(rows));
}
INLINE floats nibble_slice(const uint8_t *integers, int slice, const int shift) {
  const __m128i rows = _mm_load_si128((const __m128i *)(integers + 16 * slice));
  const __m512i wide = _mm512_srli_epi32(_mm512_cvtepu8_epi32(rows), (unsigned)shift);
  return _mm512_cvtepi32_ps(_mm512_and_si512(wide, _mm512_set1_epi32(15)));
}

INLINE floats splat(float x) { return _mm512_set1_ps(x); }
INLINE floats multiplied(floats a, floats b) { return _mm512_mul_ps(a, b); }
INLINE floats scaled(floats a, float b) { return _mm512_mul_ps(a, _mm512_set1_ps(b)); }
INLINE floats fma_floats(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
// c - a b, rounded once.
INLINE floats subtract_product(floats a, floats b, floats c) { return _mm512_fnmadd_ps(a, b, c); }
