// The second half of matrix_driver.h: what calls a path's `tile`, `emit` and `quantize_block`.

static int32_t walk(const shoal_matrix *matrix, const shoal_activations *input, int32_t tokens,
                    const shoal_output *output, int32_t first_group, int32_t end_group) {
  int32_t flags = SHOAL_FINE;
  for (int32_t block = 0; block < tokens; block += TOKEN_BLOCK) {
    const int32_t end = block + TOKEN_BLOCK < tokens ? block + TOKEN_BLOCK : tokens;
    for (int32_t index = first_group; index < end_group; ++index) {
      const uint8_t *group = matrix->groups + index * matrix->group_stride;
      const int32_t row = index * ROWS;
      const int rows = matrix->rows - row < ROWS ? matrix->rows - row : ROWS;
      for (int32_t token = block; token < end;) {
        _Alignas(64) row_sums sums[TOKENS];
        const int taken = tile(matrix, group, input, token, end - token, sums);
        for (int t = 0; t < taken; ++t) flags |= emit(output, token + t, row, rows, sums[t]);
        token += taken;
      }
    }
  }
  return flags;
}

static int32_t quantize(const shoal_part *parts, int32_t part_count, int32_t columns,
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
      part = place_quants(parts, part_count, part, records, scale, quants);
    }
  }
  return flags;
}

int32_t SYMBOL(shoal_multiply)(const shoal_matrix *matrix, const shoal_activations *input,
                               int32_t tokens, const shoal_output *output, int32_t first_group,
                               int32_t end_group) {
  return walk(matrix, input, tokens, output, first_group, end_group);
}

int32_t SYMBOL(shoal_quantize)(const shoal_part *parts, int32_t part_count, int32_t columns,
                               const shoal_activations *activations, int32_t first_token,
                               int32_t end_token) {
  return quantize(parts, part_count, columns, activations, first_token, end_token);
}
