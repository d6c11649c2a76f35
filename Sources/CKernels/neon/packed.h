// What matrix_packed.h is made of: four slices of 4 rows.

typedef uint8x16_t bytes;
typedef float32x4_t floats;
typedef struct quad_sums {
  int32x4_t of[TOKENS];
} quad_sums;

enum { SLICES = FOURTHS, VALUES_OFFSET = 0 };

INLINE bytes load_bytes(const uint8_t *line, int slice) { return vld1q_u8(line + 16 * slice); }
// (u >> right) & mask in each byte; a negative `right` shifts to the left.
INLINE bytes shifted(bytes u, const int right, const int mask) {
  return vandq_u8(vshlq_u8(u, vdupq_n_s8((int8_t)-right)), vdupq_n_u8((uint8_t)mask));
}
INLINE bytes either(bytes a, bytes b) { return vorrq_u8(a, b); }
// Signed values.
INLINE bytes looked_up(bytes u) {
  return vqtbl1q_u8(veorq_u8(vld1q_u8(value_table), vdupq_n_u8(0x80)), u);
}

INLINE void start_quads(quad_sums *sums, int token, const int offset, int sum) {
  sums->of[token] = vdupq_n_s32(-offset * sum);
}
INLINE void add_single(quad_sums *sums, bytes u, int quad, token_records records,
                       const shoal_part *part, const int tokens, const bool is_large) {
  (void)is_large;
  add_quad(sums->of, vreinterpretq_s8_u8(u), quad, records, part, tokens);
}
INLINE void add_pair(quad_sums *sums, bytes even, bytes odd, int quad, token_records records,
                     const shoal_part *part, const int tokens, const bool is_large) {
  add_single(sums, even, quad, records, part, tokens, is_large);
  add_single(sums, odd, quad + 1, records, part, tokens, is_large);
}
INLINE floats sum_floats(const quad_sums *sums, int token, const int tokens) {
  (void)tokens;
  return vcvtq_f32_s32(sums->of[token]);
}

INLINE floats *slice_of(lanes *acc, int slice) { return &acc->fourth[slice]; }
INLINE floats half_slice(const uint8_t *halves, int slice) { return half_lanes(halves, slice); }

// Four bytes of rows, widened.
INLINE uint32x4_t integer_slice(const uint8_t *integers, int slice) {
  uint32_t rows;
  __builtin_memcpy(&rows, integers + 4 * slice, 4);
  return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(rows))));
}
INLINE floats unsigned_slice(const uint8_t *integers, int slice) {
  return vcvtq_f32_u32(integer_slice(integers, slice));
}
INLINE floats signed_slice(const uint8_t *integers, int slice) {
  const int32x4_t wide = vreinterpretq_s32_u32(vshlq_n_u32(integer_slice(integers, slice), 24));
  return vcvtq_f32_s32(vshrq_n_s32(wide, 24));
}
INLINE floats nibble_slice(const uint8_t *integers, int slice, const int shift) {
  const uint32x4_t wide = vshlq_u32(integer_slice(integers, slice), vdupq_n_s32(-shift));
  return vcvtq_f32_u32(vandq_u32(wide, vdupq_n_u32(15)));
}

INLINE floats splat(float x) { return vdupq_n_f32(x); }
INLINE floats multiplied(floats a, floats b) { return vmulq_f32(a, b); }
INLINE floats scaled(floats a, float b) { return vmulq_n_f32(a, b); }
INLINE floats fma_floats(floats a, floats b, floats c) { return vfmaq_f32(c, a, b); }
// c - a b, rounded once.
INLINE floats subtract_product(floats a, floats b, floats c) { return vfmsq_f32(c, a, b); }
