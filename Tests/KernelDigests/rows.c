// Prints a digest of each row function and of attention on one instruction set, to be compared as
// digests.c is.
#include <stdio.h>

#include "canon.h"
#include "matrices.h"

// Whole vectors, and tails of every length.
enum { SHORTEST = 1, LONGEST = 67, HEADS = 6, CHUNK = 64, STATE_WEIGHTED = 80 };

static uint64_t digest;

static void mix(const void *bytes, size_t count) {  // FNV-1a
  for (size_t i = 0; i < count; ++i) {
    digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
  }
}

static void fill(float *x, int count, float range) {
  for (int i = 0; i < count; ++i) x[i] = range * (float)(int32_t)next_bits() * 0x1p-31f;
}

static void report(const char *name) {
  printf("%s %016llx\n", name, (unsigned long long)digest);
  digest = 0xCBF29CE484222325u;
}

static void functions(const struct shoal_canon *canon) {
  float x[LONGEST], other[LONGEST], third[LONGEST], out[LONGEST];
  static const char *const names[] = {"silu", "gelu_erf", "gelu_tanh", "softplus", "relu"};
  for (int kind = -1; kind < COUNT(names); ++kind) {
    for (int count = SHORTEST; count <= LONGEST; ++count) {
      fill(x, count, 20), fill(other, count, 3);
      if (kind < 0) canon->exp(x, count, out);
      else canon->activate((uint8_t)kind, x, count % 2 ? other : NULL, count, out);
      mix(out, (size_t)count * 4);
    }
    report(kind < 0 ? "exp" : names[kind]);
  }
  for (int count = SHORTEST; count <= LONGEST; ++count) {
    fill(x, count, 5), fill(other, count, 1), fill(third, count, 1);
    canon->rms_norm(x, other, 1e-5f, count, out);
    mix(out, (size_t)count * 4);
    canon->layer_norm(x, other, third, 1e-5f, count, out);
    mix(out, (size_t)count * 4);
    const float totals[] = {canon->maximum(x, count), canon->sum_exp(x, 4, count)};
    mix(totals, sizeof totals);
  }
  report("norms");
  for (int pairs = SHORTEST; pairs <= LONGEST / 2; ++pairs) {
    fill(x, 2 * pairs, 5), fill(other, 2 * pairs, 1);
    canon->rotate_interleaved(x, other, pairs);
    canon->rotate_halves(x, other, pairs);
    mix(x, (size_t)pairs * 8);
  }
  report("rotations");
  for (int count = SHORTEST; count <= LONGEST; ++count) {
    int64_t sums[LONGEST];
    for (int i = 0; i < count; ++i) sums[i] = (int64_t)next_bits() >> 24;
    fill(x, count, 5), fill(other, count, 1);
    const bool fits = canon->add_residual(x, sums, 0x1p-18f, count % 2 ? other : NULL, count);
    mix(&fits, sizeof fits);
    mix(x, (size_t)count * 4);
  }
  report("residual");
}

// Heads that see the first positions of a chunk, its last ones, all and one.
static void attention(const struct shoal_canon *canon, int head_dim, bool is_half) {
  const int stride = (head_dim + 15) / 16 * 16, values = CHUNK * (head_dim + stride);
  float *keys = zeroed((int64_t)values * 4), *queries = zeroed((int64_t)HEADS * head_dim * 4);
  float *states = zeroed((int64_t)HEADS * (STATE_WEIGHTED + stride) * 4);
  fill(keys, values, 2), fill(queries, HEADS * head_dim, 2);
  if (is_half) {
    uint16_t *halves = (uint16_t *)keys;
    for (int i = 0; i < values; ++i) halves[i] = (uint16_t)(next_bits() & 0x83FF) + 0x3800;
  }
  struct shoal_query query[HEADS];
  for (int h = 0; h < HEADS; ++h) {
    float *head = states + h * (STATE_WEIGHTED + stride);
    head[CHUNK] = -__builtin_inff();
    query[h] = (struct shoal_query){queries + h * head_dim, head, h == 3 ? 40 : 7 * h % 5,
                                    h == 1 ? 9 : CHUNK - h};
  }
  const size_t size = is_half ? 2 : 4;
  for (int pass = 0; pass < 2; ++pass) {
    (is_half ? canon->attend_f16 : canon->attend_f32)(
        query, HEADS, keys, (const uint8_t *)keys + (size_t)(CHUNK * head_dim) * size, head_dim,
        0.2f, pass * 30.0f);
  }
  mix(states, (size_t)(HEADS * (STATE_WEIGHTED + stride)) * 4);
  free(keys), free(queries), free(states);
}

int main(void) {
  const struct shoal_canon *canon = shoal_canon_neon();
  if (!canon) canon = shoal_canon_avx2();
  if (!canon) return 3;
  digest = 0xCBF29CE484222325u;
  state = 1;
  functions(canon);
  static const int dimensions[] = {8, 12, 24, 64, 80, 96, 128};
  for (int half = 0; half < 2; ++half) {
    for (int d = 0; d < COUNT(dimensions); ++d) attention(canon, dimensions[d], half);
    report(half ? "attention, f16" : "attention, f32");
  }
  return 0;
}
