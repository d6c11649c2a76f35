// One product of 128 rows by 2,048 columns on the AVX2 path, for callgrind: products FORMAT TOKENS.
// Prints the bytes of its weights. Counts do not depend on what the weights are: all are zero.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "matrix.h"

enum { COLUMNS = 2048, PARTS = COLUMNS / 32, GROUPS = 8, ROWS = 16 * GROUPS, RECORD = 40 };

// Bytes of 16 rows (docs/NUMERICS.md, "Packed matrices"): f16 and integer scales at the head of a
// group, then lines of each part.
static const struct {
  const char *name;
  int number, float_bytes, integer_bytes, line_bytes;
} formats[] = {
    {"f32", SHOAL_F32, 0, 0, 64 * COLUMNS},
    {"f16", SHOAL_F16, 0, 0, 32 * COLUMNS},
    {"q4_0", SHOAL_Q4_0, 32 * PARTS, 0, 256 * PARTS},
    {"q8_0", SHOAL_Q8_0, 32 * PARTS, 0, 512 * PARTS},
    {"q4_K", SHOAL_Q4_K, 64 * PARTS / 8, 32 * PARTS, 256 * PARTS},
    {"q6_K", SHOAL_Q6_K, 32 * PARTS / 8, 32 * PARTS, 384 * PARTS},
};

static void *zeroed(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!memory) exit(2);
  return memset(memory, 0, bytes);
}

int main(int count, char **arguments) {
  const int tokens = count == 3 ? atoi(arguments[2]) : 0;
  int f = 0;
  const int known = (int)(sizeof formats / sizeof *formats);
  while (count == 3 && f < known && strcmp(formats[f].name, arguments[1])) ++f;
  if (tokens < 1 || tokens > 4096 || f == known) {
    fprintf(stderr, "usage: products FORMAT TOKENS\n");
    return 2;
  }
  shoal_part parts[PARTS];
  for (int p = 0; p < PARTS; ++p) {
    parts[p] = (shoal_part){.column = 32 * p, .count = 32, .split = 16, .block = p,
                            .record = RECORD * p};
  }
  const int64_t scales = formats[f].float_bytes + formats[f].integer_bytes;
  const int64_t stride = scales + formats[f].line_bytes;
  shoal_product product = {
      .matrix = {.groups = zeroed((size_t)(GROUPS * stride)), .parts = parts,
                 .group_stride = stride, .integers_offset = formats[f].float_bytes,
                 .quants_offset = scales, .part_count = PARTS, .columns = COLUMNS, .rows = ROWS,
                 .format = formats[f].number},
      .input = {.values = zeroed((size_t)(4 * COLUMNS * tokens)),
                .records = zeroed((size_t)(RECORD * PARTS * tokens)),
                .value_stride = COLUMNS, .record_stride = RECORD * PARTS},
      .output = {.values = zeroed((size_t)(4 * ROWS * tokens)), .stride = ROWS}};
  if (shoal_multiply(SHOAL_AVX2, &product, 1, tokens, 0, GROUPS, NULL) != SHOAL_FINE) return 1;
  printf("%lld\n", (long long)(GROUPS * stride));
  return 0;
}
