// Chooses the loop by the format of the matrix; part of each path's file.

// One row group times a constant number of tokens, in the matrix's format.
INLINE int tile_of(const shoal_matrix *matrix, const uint8_t *group,
                   const shoal_activations *input, int32_t first, row_sums *sums,
                   const int tokens) {
  const uint8_t *records = input->records + first * input->record_stride;
  const float *values = input->values + first * input->value_stride;
  switch (matrix->format) {
    case SHOAL_Q8_0:
      tile_q8_0(matrix, group, records, input->record_stride, sums, tokens);
      break;
    case SHOAL_Q4_0:
      tile_q4_0(matrix, group, records, input->record_stride, sums, tokens);
      break;
    case SHOAL_F16:
      tile_float(matrix, group, values, input->value_stride, sums, tokens, true);
      break;
    default:
      tile_float(matrix, group, values, input->value_stride, sums, tokens, false);
      break;
  }
  return tokens;
}
