// The table of formats, and one tile for each: a row group times a constant number of tokens, all
// accumulators in registers. Part of each path's file, after its steps.

// Quantised formats: number, name, lines of 64 bytes that a part of 32 columns has with its scales,
// and how one token's weights come where the path leaves a choice (docs/NUMERICS.md, "Reading").
#define QUANTISED(FORMAT)                  \
  FORMAT(SHOAL_Q4_0, q4_0, 5, STREAMED)    \
  FORMAT(SHOAL_Q4_1, q4_1, 5, FETCHED)     \
  FORMAT(SHOAL_Q5_0, q5_0, 6, FETCHED)     \
  FORMAT(SHOAL_Q5_1, q5_1, 6, FETCHED)     \
  FORMAT(SHOAL_Q8_0, q8_0, 9, STREAMED)    \
  FORMAT(SHOAL_Q2_K, q2_K, 3, FETCHED)     \
  FORMAT(SHOAL_Q3_K, q3_K, 4, FETCHED)     \
  FORMAT(SHOAL_Q4_K, q4_K, 5, FETCHED)     \
  FORMAT(SHOAL_Q5_K, q5_K, 6, FETCHED)     \
  FORMAT(SHOAL_Q6_K, q6_K, 7, FETCHED)     \
  FORMAT(SHOAL_IQ4_NL, iq4_nl, 5, FETCHED) \
  FORMAT(SHOAL_IQ4_XS, iq4_xs, 5, FETCHED)

// Float formats: number, name, lines of 16 columns, and the same.
#define FLOATS(FORMAT)                 \
  FORMAT(SHOAL_F32, f32, 16, STREAMED) \
  FORMAT(SHOAL_F16, f16, 8, FETCHED)   \
  FORMAT(SHOAL_BF16, bf16, 8, FETCHED)

// Adds part `p` of the row group, whose quants begin at `line`, to the accumulators of each token;
// returns where the quants of the next part begin.
typedef const uint8_t *part_step(const weights *w, int p, const uint8_t *line,
                                 token_records records, lanes *acc, const int tokens);

// acc = fma(w, x, acc) for one column.
typedef void column_step(const uint8_t *group, int column, const float *values, int64_t stride,
                         lanes *acc, const int tokens);

INLINE bool fetches(const enum fetching how, const int tokens) {
  return how == FETCHED || tokens > 1 || !FOLLOWS_STREAMS;
}

INLINE void quantised_tile(part_step *step, const int lines, const bool is_fetched,
                           const weights *w, token_records records, row_sums *sums,
                           const int tokens) {
  const shoal_matrix *matrix = w->matrix;
  const int64_t part_bytes = matrix->group_stride / matrix->part_count;
  const uint8_t *line = w->group + matrix->quants_offset;
  lanes acc[TOKENS];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t] = zero_lanes();
  if (!is_fetched) read_lines(w->group, w->group + matrix->quants_offset);
  for (int p = 0; p < matrix->part_count; ++p) {
    if (is_fetched && w->is_fresh) prefetch(ahead_of(w, w->group + p * part_bytes), lines);
    line = step(w, p, line, records, acc, tokens);
  }
  UNROLL for (int t = 0; t < tokens; ++t) store_lanes(sums[t], acc[t]);
}

INLINE void float_tile(column_step *step, const int lines, const bool is_fetched,
                       const weights *w, const float *values, int64_t stride, row_sums *sums,
                       const int tokens) {
  const int columns = w->matrix->columns;
  lanes acc[TOKENS];
  UNROLL for (int t = 0; t < tokens; ++t) acc[t] = zero_lanes();
  int c = 0;
  for (; c + 16 <= columns; c += 16) {
    if (is_fetched && w->is_fresh) prefetch(ahead_of(w, w->group + 4 * lines * c), lines);
    UNROLL for (int i = 0; i < 16; ++i) step(w->group, c + i, values, stride, acc, tokens);
  }
  for (; c < columns; ++c) step(w->group, c, values, stride, acc, tokens);
  UNROLL for (int t = 0; t < tokens; ++t) store_lanes(sums[t], acc[t]);
}

// The products of one row group with tokens [first, first + tokens).
INLINE void tile_of(const weights *w, const shoal_activations *input, int32_t first,
                    row_sums *sums, const int tokens) {
  const token_records records = {input->records + first * input->record_stride,
                                 input->record_stride};
  const float *values = input->values + first * input->value_stride;
  switch (w->matrix->format) {
#define FORMAT(number, name, lines, how)                                                \
  case number:                                                                          \
    quantised_tile(step_##name, lines, fetches(how, tokens), w, records, sums, tokens); \
    break;
    QUANTISED(FORMAT)
#undef FORMAT
#define FORMAT(number, name, lines, how)                            \
  case number:                                                      \
    float_tile(step_##name, lines, fetches(how, tokens), w, values, \
               input->value_stride, sums, tokens);                  \
    break;
    FLOATS(FORMAT)
#undef FORMAT
  }
}

// Whether this path has a loop for the format.
INLINE bool has_format(int32_t format) {
  switch (format) {
#define FORMAT(number, name, lines, how) case number:
    QUANTISED(FORMAT)
    FLOATS(FORMAT)
#undef FORMAT
    return true;
    default: return false;
  }
}
