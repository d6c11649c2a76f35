// The walk over tokens, row groups and products, and the path's entry points. A path has defined
//   tile(w, input, first, tokens, sums)         products of one row group with at most `tokens`
//                                               tokens; returns how many it did
//   emit(output, token, row, rows, sums)        stores 16 of them, or rounds and adds them to Int64
//   count_units(counts, sums, scale)            rounds 16 and adds them to Int32, if all are small
//   quantize_block(block, scale, quants)        32 activations
//   sum_halves(quants, sums)                    16 and 16 of them
//
// One token: each product's rows in order, so that weights stream from memory once.
// More: a block of tokens and a block of row groups at a time, and within them one product after
// the other, so that activations and the sums that they share stay in the second-level cache, and
// all row groups of the block for one tile's tokens, whose activations so stay in the first.

// What some products add to the sums of a block, on its way: Int32 where the sums are Int64, so
// that a product's rounding is a conversion and an addition.
typedef struct block_counts {
  _Alignas(64) row_counts of[GROUP_BLOCK][TOKEN_BLOCK];
} block_counts;

// Row groups [first, end) of one product for tokens [token, end_token). Large units, and all where
// `counts` is null, go straight to the output.
static int32_t walk_groups(const shoal_product *product, const uint8_t *next, int32_t token,
                           int32_t end_token, int32_t first, int32_t end, block_counts *counts) {
  const shoal_matrix *matrix = &product->matrix;
  weights w = {.matrix = matrix,
               .end = matrix->groups + end * matrix->group_stride,
               .next = next};
  int32_t flags = SHOAL_FINE;
  for (int32_t t = token, taken = 0; t < end_token; t += taken) {
    w.group = matrix->groups + first * matrix->group_stride;
    w.is_fresh = t == token;
    for (int32_t index = first; index < end; ++index) {
      const int32_t row = index * ROWS;
      const int rows = matrix->rows - row < ROWS ? matrix->rows - row : ROWS;
      _Alignas(64) row_sums sums[TOKENS];
      taken = tile(&w, &product->input, t, end_token - t, sums);
      for (int i = 0; i < taken; ++i) {
        if (counts && count_units(counts->of[index - first][t + i - token], sums[i],
                                  product->output.scale)) {
          continue;
        }
        flags |= emit(&product->output, t + i, row, rows, sums[i]);
      }
      w.group += matrix->group_stride;
    }
  }
  return flags;
}

// Where the thread reads on after row groups [first, end) of a product: in the next product, with
// the next rows of the first one, where its caller says (`after`), or nowhere: where it is.
INLINE const uint8_t *next_weights(const shoal_product *products, int32_t index, int32_t count,
                                   int32_t first, int32_t end, int32_t last,
                                   const uint8_t *after) {
  const shoal_matrix *matrix = &products[index].matrix;
  if (index + 1 < count) {
    matrix = &products[index + 1].matrix;
    return matrix->groups + first * matrix->group_stride;
  }
  if (end < last) return products[0].matrix.groups + end * products[0].matrix.group_stride;
  return after ? after : matrix->groups + end * matrix->group_stride - AHEAD;
}

// Adds what was counted to the sums of row groups [first, end) and tokens [token, end_token).
static void add_counts(const block_counts *counts, const shoal_product *product, int32_t token,
                       int32_t end_token, int32_t first, int32_t end) {
  const shoal_output *output = &product->output;
  for (int32_t t = token; t < end_token; ++t) {
    for (int32_t index = first; index < end; ++index) {
      const int32_t row = index * ROWS, left = product->matrix.rows - row;
      const int32_t *some = counts->of[index - first][t - token];
      int64_t *sums = output->sums + t * output->stride + row;
      if (left >= ROWS) {
        UNROLL for (int i = 0; i < ROWS; ++i) sums[i] += some[i];
      } else {
        for (int i = 0; i < left; ++i) sums[i] += some[i];
      }
    }
  }
}

// How many products from the first on add to the same sums and can be counted together; 0: none.
static int32_t counted(const shoal_product *products, int32_t count, int32_t tokens) {
  const shoal_output *output = &products->output;
  if (!output->sums || tokens == 1) return 0;
  int32_t same = 1;
  while (same < count && same < COUNTED && products[same].output.sums == output->sums &&
         products[same].output.stride == output->stride &&
         products[same].output.scale == output->scale) {
    ++same;
  }
  return same > 1 ? same : 0;
}

static int32_t walk(const shoal_product *products, int32_t count, int32_t tokens,
                    int32_t first_group, int32_t end_group, const uint8_t *after) {
  const int32_t step = tokens == 1 ? end_group - first_group : GROUP_BLOCK;
  int32_t flags = SHOAL_FINE;
  for (int32_t token = 0; token < tokens; token += TOKEN_BLOCK) {
    const int32_t end_token = token + TOKEN_BLOCK < tokens ? token + TOKEN_BLOCK : tokens;
    for (int32_t group = first_group; group < end_group; group += step) {
      const int32_t end = group + step < end_group ? group + step : end_group;
      for (int32_t i = 0; i < count;) {
        block_counts counts;
        const int32_t together = counted(products + i, count - i, tokens);
        const int32_t last = i + (together > 0 ? together : 1);
        const int32_t start = i;
        if (together > 0) __builtin_memset(&counts, 0, sizeof counts);
        for (; i < last; ++i) {
          const uint8_t *next = next_weights(products, i, count, group, end, end_group, after);
          flags |= walk_groups(products + i, next, token, end_token, group, end,
                               together > 0 ? &counts : NULL);
        }
        if (together > 0) add_counts(&counts, products + start, token, end_token, group, end);
      }
    }
  }
  return flags;
}

int32_t SYMBOL(shoal_multiply)(const shoal_product *products, int32_t count, int32_t tokens,
                               int32_t first_group, int32_t end_group, const void *next) {
  for (int32_t i = 0; i < count; ++i) {
    if (!has_format(products[i].matrix.format)) return SHOAL_NOT_BUILT;
  }
  return walk(products, count, tokens, first_group, end_group, next);
}

int32_t SYMBOL(shoal_quantize)(const shoal_part *parts, int32_t part_count, int32_t columns,
                               const shoal_activations *activations, int32_t first_token,
                               int32_t end_token) {
  int32_t flags = SHOAL_FINE;
  for (int32_t token = first_token; token < end_token; ++token) {
    const float *values = activations->values + token * activations->value_stride;
    uint8_t *records = activations->records + token * activations->record_stride;
    for (int32_t part = 0; part < part_count;) {
      const int first = 32 * parts[part].block;
      const int count = columns - first < 32 ? columns - first : 32;
      float padded[32] = {0};
      const float *block = values + first;
      if (count < 32) {
        for (int i = 0; i < count; ++i) padded[i] = block[i];
        block = padded;
      }
      int8_t quants[32];
      float scale;
      flags |= quantize_block(block, &scale, quants);
      if (parts[part].count == 32 && parts[part].split == 16) {
        int32_t halves[2];
        sum_halves(quants, halves);
        place_block((shoal_record *)(records + parts[part].record), scale, quants, halves);
        ++part;
      } else {
        part = place_quants(parts, part_count, part, records, scale, quants);
      }
    }
  }
  return flags;
}
