// The loops of canon_*.c, written once: each file compiles them for its instruction set. Sixteen
// lanes whatever the register's width, so that the order of every sum is the same everywhere.
// Each function follows its definition in Canon.swift, RowReference.swift or Attention.swift.

// Vectors are arguments of inlined functions only, so no calling convention is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
// A product and a sum stay two roundings unless they are written as one fma.
#pragma STDC FP_CONTRACT OFF
#ifdef CANON_TARGET
#pragma clang attribute push(__attribute__((target(CANON_TARGET))), apply_to = function)
#endif

#define LANES 16
#define INLINE static inline __attribute__((always_inline))
typedef float vf __attribute__((vector_size(64)));
typedef float v8 __attribute__((vector_size(32)));
typedef float v4 __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(64)));
typedef uint32_t vu __attribute__((vector_size(64)));
typedef int64_t vl __attribute__((vector_size(128)));
typedef _Float16 vh __attribute__((vector_size(32)));

// ---- lanes

INLINE vf splat(float x) { return (vf){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
INLINE vf fma16(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }
INLINE vf load(const float *p) {
  vf v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(float *p, vf v) { __builtin_memcpy(p, &v, sizeof v); }
// The first n < 16 lanes from memory, zeros in the others.
INLINE vf load_some(const float *p, ptrdiff_t n) {
  float lanes[LANES] = {0};
  for (ptrdiff_t i = 0; i < n; i++) lanes[i] = p[i];
  return load(lanes);
}
INLINE void store_some(float *p, vf v, ptrdiff_t n) {
  float lanes[LANES];
  store(lanes, v);
  for (ptrdiff_t i = 0; i < n; i++) p[i] = lanes[i];
}
INLINE vf select16(vi mask, vf yes, vf no) { return (vf)((mask & (vi)yes) | (~mask & (vi)no)); }
INLINE vf magnitude(vf x) { return (vf)((vu)x & 0x7fffffffu); }
INLINE vf with_sign(vf x, vf size) { return (vf)((vu)size | ((vu)x & 0x80000000u)); }
// Lanes by halves: 8, 4, 2, 1.
INLINE v8 low8(vf v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7); }
INLINE v8 high8(vf v) { return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15); }
INLINE v4 low4(v8 v) { return __builtin_shufflevector(v, v, 0, 1, 2, 3); }
INLINE v4 high4(v8 v) { return __builtin_shufflevector(v, v, 4, 5, 6, 7); }
INLINE float fold(vf v) {
  v8 eight = low8(v) + high8(v);
  v4 four = low4(eight) + high4(eight);
  v4 two = four + __builtin_shufflevector(four, four, 2, 3, 2, 3);
  return two[0] + two[1];
}
// The largest lane; none is NaN.
INLINE float largest_lane(vf v) {
  v8 eight = __builtin_elementwise_max(low8(v), high8(v));
  v4 four = __builtin_elementwise_max(low4(eight), high4(eight));
  v4 two = __builtin_elementwise_max(four, __builtin_shufflevector(four, four, 2, 3, 2, 3));
  return two[0] > two[1] ? two[0] : two[1];
}

// ---- Canon.swift

INLINE vf power_of_two(vi n) { return (vf)(((vu)n + 127u) << 23); }

INLINE vf exp16(vf x) {
  x = select16(x < -104.0f, splat(-104.0f), select16(x > 89.0f, splat(89.0f), x));
  vf shift = splat(0x1.8p23f);
  vf shifted = fma16(x, splat(0x1.715476p0f), shift);
  vf n = shifted - shift;
  vf r = fma16(n, splat(-0x1.62e4p-1f), x);
  r = fma16(n, splat(-0x1.7f7d1cp-20f), r);
  vf q = splat(0x1.6d117cp-10f);
  q = fma16(q, r, splat(0x1.120be2p-7f));
  q = fma16(q, r, splat(0x1.555518p-5f));
  q = fma16(q, r, splat(0x1.5554dcp-3f));
  q = fma16(q, r, splat(0.5f));
  vf p = 1.0f + fma16(r * r, q, r);
  vi exponent = (vi)((vu)shifted - (vu)shift);
  vi half = exponent >> 1;
  return (p * power_of_two(half)) * power_of_two((vi)((vu)exponent - (vu)half));
}

INLINE vf tanh16(vf x) {
  vf size = magnitude(x), square = size * size;
  vf q = splat(-0x1.b13538p-8f);
  q = fma16(q, square, splat(0x1.5d220ep-6f));
  q = fma16(q, square, splat(-0x1.b9a044p-5f));
  q = fma16(q, square, splat(0x1.110feap-3f));
  q = fma16(q, square, splat(-0x1.555554p-2f));
  vf near = fma16(size * square, q, size);
  vf e = exp16(-2.0f * size);
  vf far = (1.0f - e) / (1.0f + e);
  return with_sign(x, select16(size < 0.55f, near, far));
}

INLINE vf erf16(vf x) {
  vf size = magnitude(x), square = size * size;
  vf p = splat(0x1.4a569p-14f);
  p = fma16(p, square, splat(-0x1.a45088p-11f));
  p = fma16(p, square, splat(0x1.541270p-8f));
  p = fma16(p, square, splat(-0x1.b7fabap-6f));
  p = fma16(p, square, splat(0x1.ce2d1p-4f));
  p = fma16(p, square, splat(-0x1.81273ep-2f));
  p = fma16(p, square, splat(0x1.06eba8p-3f));
  vf near = fma16(size, p, size);
  vf t = select16(size > 4.0f, splat(4.0f), size);
  vf q = splat(0x1.b7783p-20f);
  q = fma16(q, t, splat(-0x1.825ce4p-15f));
  q = fma16(q, t, splat(0x1.38e5e6p-11f));
  q = fma16(q, t, splat(-0x1.37ecc6p-8f));
  q = fma16(q, t, splat(0x1.b0e246p-6f));
  q = fma16(q, t, splat(-0x1.c2e356p-4f));
  q = fma16(q, t, splat(-0x1.437eb4p-1f));
  q = fma16(q, t, splat(-0x1.2156fap0f));
  q = fma16(q, t, splat(0x1.4fb068p-12f));
  vf far = 1.0f - exp16(q);
  return with_sign(x, select16(size < 1.0f, near, far));
}

INLINE vf silu16(vf x) { return x / (1.0f + exp16(-x)); }
INLINE vf gelu_erf16(vf x) { return (0.5f * x) * (1.0f + erf16(x * 0x1.6a09e6p-1f)); }
INLINE vf gelu_tanh16(vf x) {
  vf cubic = x * fma16(x * x, splat(0.044715f), splat(1.0f));
  return x / (1.0f + exp16(-(cubic * 0x1.988454p0f)));
}
INLINE vf softplus16(vf x) {
  vf y = exp16(-magnitude(x));
  vf s = y / (2.0f + y), square = s * s;
  vf q = splat(0x1.dba26p-3f);
  q = fma16(q, square, splat(0x1.bc8cf8p-3f));
  q = fma16(q, square, splat(0x1.24c926p-2f));
  q = fma16(q, square, splat(0x1.9998d4p-2f));
  q = fma16(q, square, splat(0x1.555556p-1f));
  vf tail = fma16(s * square, q, 2.0f * s);
  return select16(x < 0.0f, splat(0.0f), x) + tail;
}
INLINE vf relu16(vf x) { return select16(x <= 0.0f, splat(0.0f), x); }

// ---- RowReference.swift

typedef vf function16(vf);

INLINE void map(function16 *f, const float *x, const float *up, ptrdiff_t count, float *out) {
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    vf y = f(load(x + i));
    store(out + i, up ? y * load(up + i) : y);
  }
  if (i == count) return;
  vf y = f(load_some(x + i, count - i));
  store_some(out + i, up ? y * load_some(up + i, count - i) : y, count - i);
}

static void canon_exp(const float *x, ptrdiff_t count, float *out) {
  map(exp16, x, NULL, count, out);
}

static void canon_activate(uint8_t activation, const float *x, const float *up, ptrdiff_t count,
                           float *out) {
  switch (activation) {
  case SHOAL_SILU: map(silu16, x, up, count, out); break;
  case SHOAL_GELU_ERF: map(gelu_erf16, x, up, count, out); break;
  case SHOAL_GELU_TANH: map(gelu_tanh16, x, up, count, out); break;
  case SHOAL_SOFTPLUS: map(softplus16, x, up, count, out); break;
  case SHOAL_RELU: map(relu16, x, up, count, out); break;
  default: break;
  }
}

// A zero beyond the row leaves its lane as it is: sums of squares are never -0.
static void canon_rms_norm(const float *x, const float *weight, float epsilon, ptrdiff_t count,
                           float *out) {
  vf sum = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) sum = fma16(load(x + i), load(x + i), sum);
  if (i < count) {
    vf rest = load_some(x + i, count - i);
    sum = fma16(rest, rest, sum);
  }
  float inverse = 1.0f / __builtin_elementwise_sqrt(fold(sum) / (float)count + epsilon);
  for (i = 0; i + LANES <= count; i += LANES)
    store(out + i, (load(x + i) * inverse) * load(weight + i));
  for (; i < count; i++) out[i] = (x[i] * inverse) * weight[i];
}

static void canon_layer_norm(const float *x, const float *weight, const float *bias,
                             float epsilon, ptrdiff_t count, float *out) {
  vf sum = {0}, squares = {0};
  ptrdiff_t i = 0, whole = count & ~(ptrdiff_t)(LANES - 1);
  for (; i < whole; i += LANES) sum += load(x + i);
  if (i < count) sum += load_some(x + i, count - i);
  float mean = fold(sum) / (float)count;
  for (i = 0; i < whole; i += LANES) {
    vf difference = load(x + i) - mean;
    squares = fma16(difference, difference, squares);
  }
  if (i < count) {
    float rest[LANES] = {0};
    for (ptrdiff_t j = 0; i + j < count; j++) rest[j] = x[i + j] - mean;
    squares = fma16(load(rest), load(rest), squares);
  }
  float variance = fold(squares) / (float)count;
  float inverse = 1.0f / __builtin_elementwise_sqrt(variance + epsilon);
  for (i = 0; i < whole; i += LANES)
    store(out + i, fma16((load(x + i) - mean) * inverse, load(weight + i), load(bias + i)));
  for (; i < count; i++)
    out[i] = __builtin_elementwise_fma((x[i] - mean) * inverse, weight[i], bias[i]);
}

static bool canon_add_residual(float *x, const int64_t *sum, float unit, const float *bias,
                               ptrdiff_t count) {
  const int64_t limit = (int64_t)1 << 44;
  int64_t outside = 0;
  ptrdiff_t i = 0;
  vl beyond = {0};
  for (; i + LANES <= count; i += LANES) {
    vl units;
    __builtin_memcpy(&units, sum + i, sizeof units);
    beyond |= (units > limit) | (units < -limit);
    vf y = load(x + i) + __builtin_convertvector(units, vf) * unit;
    store(x + i, bias ? y + load(bias + i) : y);
  }
  for (int lane = 0; lane < LANES; lane++) outside |= beyond[lane];
  for (; i < count; i++) {
    outside |= sum[i] > limit || sum[i] < -limit;
    float y = x[i] + (float)sum[i] * unit;
    x[i] = bias ? y + bias[i] : y;
  }
  return outside == 0;
}

static float canon_maximum(const float *x, ptrdiff_t count) {
  vf largest = splat(-__builtin_inff());
  vi unordered = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) {
    vf y = load(x + i);
    unordered |= y != y;
    largest = select16(y > largest, y, largest);
  }
  float result = -__builtin_inff();
  int32_t nan = 0;
  for (int lane = 0; lane < LANES; lane++) {
    nan |= unordered[lane];
    if (largest[lane] > result) result = largest[lane];
  }
  for (; i < count; i++) {
    nan |= x[i] != x[i];
    if (x[i] > result) result = x[i];
  }
  return nan ? __builtin_nanf("") : result + 0.0f;  // -0 becomes 0
}

static float canon_sum_exp(const float *x, float origin, ptrdiff_t count) {
  vf sum = {0};
  ptrdiff_t i = 0;
  for (; i + LANES <= count; i += LANES) sum += exp16(load(x + i) - origin);
  if (i < count) {
    float rest[LANES];
    for (ptrdiff_t j = 0; j < LANES; j++)
      rest[j] = i + j < count ? x[i + j] - origin : -__builtin_inff();
    sum += exp16(load(rest));
  }
  return fold(sum);
}

static uint32_t canon_sum_words(const void *bytes, ptrdiff_t count) {
  vu sums[4] = {{0}, {0}, {0}, {0}};
  const char *p = bytes;
  for (ptrdiff_t i = 0; i + 64 <= count; i += 64) {
    vu words;
    __builtin_memcpy(&words, p + i, sizeof words);
    sums[i / 64 % 4] += words;
  }
  vu total = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  uint32_t result = 0;
  for (int lane = 0; lane < LANES; lane++) result += total[lane];
  return result;
}

INLINE void rotate_pair(float *first, float *second, float cosine, float sine) {
  float a = *first, b = *second;
  *first = __builtin_elementwise_fma(a, cosine, -(b * sine));
  *second = __builtin_elementwise_fma(a, sine, b * cosine);
}

static void canon_rotate_halves(float *x, const float *row, ptrdiff_t pairs) {
  ptrdiff_t i = 0;
  for (; i + LANES <= pairs; i += LANES) {
    vf a = load(x + i), b = load(x + pairs + i);
    vf cosine = load(row + i), sine = load(row + pairs + i);
    store(x + i, fma16(a, cosine, -(b * sine)));
    store(x + pairs + i, fma16(a, sine, b * cosine));
  }
  for (; i < pairs; i++) rotate_pair(x + i, x + pairs + i, row[i], row[pairs + i]);
}

static void canon_rotate_interleaved(float *x, const float *row, ptrdiff_t pairs) {
  ptrdiff_t i = 0;
  for (; i + LANES <= pairs; i += LANES) {
    vf low = load(x + 2 * i), high = load(x + 2 * i + LANES);
    vf a = __builtin_shufflevector(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26,
                                   28, 30);
    vf b = __builtin_shufflevector(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27,
                                   29, 31);
    vf cosine = load(row + i), sine = load(row + pairs + i);
    vf first = fma16(a, cosine, -(b * sine)), second = fma16(a, sine, b * cosine);
    store(x + 2 * i, __builtin_shufflevector(first, second, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5,
                                             21, 6, 22, 7, 23));
    store(x + 2 * i + LANES, __builtin_shufflevector(first, second, 8, 24, 9, 25, 10, 26, 11, 27,
                                                     12, 28, 13, 29, 14, 30, 15, 31));
  }
  for (; i < pairs; i++) rotate_pair(x + 2 * i, x + 2 * i + 1, row[i], row[pairs + i]);
}

#include "canon_attention.h"

#ifdef CANON_TARGET
#pragma clang attribute pop
#endif

static const struct shoal_canon table = {
    .exp = canon_exp,
    .activate = canon_activate,
    .rms_norm = canon_rms_norm,
    .layer_norm = canon_layer_norm,
    .add_residual = canon_add_residual,
    .maximum = canon_maximum,
    .sum_exp = canon_sum_exp,
    .sum_words = canon_sum_words,
    .rotate_interleaved = canon_rotate_interleaved,
    .rotate_halves = canon_rotate_halves,
    .attend_f16 = canon_attend_f16,
    .attend_f32 = canon_attend_f32,
};
