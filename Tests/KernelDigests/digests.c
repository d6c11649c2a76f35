// Prints a digest of matrix products for each weight format on one instruction set. The same program
// on x86-64, whose loops are tested against the Swift reference, and under qemu on arm64 must print
// the same: testnet/neon.sh.
#include <stdio.h>

#include "matrices.h"

enum { TOKENS = 9 };

static const struct {
  int first, count, rows;
} shapes[] = {{0, 32, 16},   {0, 256, 40}, {0, 2080, 33}, {24, 24, 15},   {40, 8, 7},
              {80, 80, 31},  {12, 12, 9},  {44, 28, 4},   {240, 320, 20}, {192, 96, 18},
              {1024, 172, 3}};

static uint64_t mixed(uint64_t digest, const void *bytes, size_t count) {  // FNV-1a
  for (size_t i = 0; i < count; ++i) digest = (digest ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
  return digest;
}

int main(void) {
  int path = SHOAL_NEON;
  if (!shoal_path_available(path)) path = SHOAL_AVX2;
  if (!shoal_path_available(path)) return 3;
  for (int n = 0; n < COUNT(formats); ++n) {
    uint64_t digest = 0xCBF29CE484222325u;
    state = (uint64_t)formats[n].number;
    for (int s = 0; s < COUNT(shapes); ++s) {
      shoal_part parts[MOST_PARTS];
      int part_count;
      const int32_t records = cut(shapes[s].first, shapes[s].count, parts, &part_count);
      const int rows = shapes[s].rows, columns = shapes[s].count;
      shoal_product product = {
          .matrix = make_matrix(formats + n, shapes[s].first, columns, rows, parts, part_count)};
      float *values = zeroed(TOKENS * columns * 4);
      for (int i = 0; i < TOKENS * columns; ++i) values[i] = (float)(int32_t)next_bits() * 0x1p-28f;
      product.input = (shoal_activations){values, zeroed(TOKENS * records), columns, records};
      if (shoal_quantize(path, parts, part_count, columns, &product.input, 0, TOKENS)) return 4;
      digest = mixed(digest, product.input.records, (size_t)(TOKENS * records));
      float *output = zeroed(TOKENS * rows * 4);
      int64_t *sums = zeroed(TOKENS * rows * 8);
      const int groups = (rows + ROWS_A_GROUP - 1) / ROWS_A_GROUP;
      product.output = (shoal_output){.values = output, .stride = rows};
      if (shoal_multiply(path, &product, 1, TOKENS, 0, groups, NULL)) return 5;
      product.output = (shoal_output){.sums = sums, .stride = rows, .scale = 0x1p18f};
      if (shoal_multiply(path, &product, 1, TOKENS, 0, groups, NULL)) return 6;
      const shoal_product atoms[] = {product, product, product};
      if (shoal_multiply(path, atoms, COUNT(atoms), TOKENS, 0, groups, NULL)) return 7;
      digest = mixed(digest, output, (size_t)(TOKENS * rows * 4));
      digest = mixed(digest, sums, (size_t)(TOKENS * rows * 8));
      free((void *)product.matrix.groups);
      free(values), free(product.input.records), free(output), free(sums);
    }
    printf("%s %016llx\n", formats[n].name, (unsigned long long)digest);
  }
  return 0;
}
