// One register is 16 rows: a line of 64 bytes, 16 rows by 4 columns, is one vpdpbusd.

typedef __m512 lanes;

// A tile of 12 tokens has 12 accumulators and 12 integer sums in 32 registers.
enum { TOKENS = 12 };
// Measured: enum fetching in matrix_driver.h.
enum { FOLLOWS_STREAMS = 1 };

INLINE lanes zero_lanes(void) { return _mm512_setzero_ps(); }
INLINE void store_lanes(float *out, lanes acc) { _mm512_store_ps(out, acc); }

// 16 f16, as f32.
INLINE lanes half_lanes(const uint8_t *halves) {
  return _mm512_cvtph_ps(_mm256_load_si256((const __m256i *)halves));
}

// Exact integer sums of a part. One token alone has two chains of additions, since each link takes
// four cycles.
typedef struct integer_sums {
  __m512i of[TOKENS];
  __m512i odd;
} integer_sums;

// Quants are stored unsigned, w = u - 2^bits: starting at -2^bits * sum(x) makes the sum exact.
INLINE void start_sums(integer_sums *sums, const int bits, token_records records,
                       const shoal_part *part, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m512i sum = _mm512_set1_epi32(record_at(records, part, t)->sum);
    sums->of[t] = _mm512_sub_epi32(_mm512_setzero_si512(), _mm512_slli_epi32(sum, bits));
  }
  sums->odd = _mm512_setzero_si512();
}

// Adds four columns.
INLINE void add_quad(integer_sums *sums, __m512i quants, int quad, token_records records,
                     const shoal_part *part, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m512i x = _mm512_set1_epi32(quad_at(record_at(records, part, t), quad));
    if (tokens == 1 && quad % 2 == 1) {
      sums->odd = _mm512_dpbusd_epi32(sums->odd, quants, x);
    } else {
      sums->of[t] = _mm512_dpbusd_epi32(sums->of[t], quants, x);
    }
  }
}

// acc = fma(Float(isum), dw * dx, acc) for each token: the only rounding steps of the product.
INLINE void accumulate(lanes *acc, const integer_sums *sums, lanes scales, token_records records,
                       const shoal_part *part, const int tokens) {
  UNROLL for (int t = 0; t < tokens; ++t) {
    const __m512i sum = tokens == 1 ? _mm512_add_epi32(sums->of[t], sums->odd) : sums->of[t];
    const lanes scale =
        _mm512_mul_ps(scales, _mm512_set1_ps(record_at(records, part, t)->scale));
    acc[t] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), scale, acc[t]);
  }
}
