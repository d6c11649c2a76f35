// Quantising activations: what does not depend on the instruction set.

// Spreads 32 quants over the records of the block's parts [part, ...); returns the next part.
INLINE int place_quants(const shoal_part *parts, int part_count, int part, uint8_t *records,
                        float scale, const int8_t *quants) {
  const int block = parts[part].block;
  for (; part < part_count && parts[part].block == block; ++part) {
    shoal_record *record = (shoal_record *)(records + parts[part].record);
    const int first = parts[part].column % 32, count = parts[part].count;
    int16_t sum = 0, first_sum = 0;
    for (int i = 0; i < 8 * pairs_of(&parts[part]); ++i) {
      const int8_t quant = i < count ? quants[first + i] : 0;
      record->quants[i] = quant;
      sum += quant;
      if (i < parts[part].split) first_sum += quant;
    }
    record->scale = scale;
    record->sum = sum;
    record->first_sum = first_sum;
  }
  return part;
}

// The same for the whole block, where no cut parts it: both sums are those of the halves.
INLINE void place_block(shoal_record *record, float scale, const int8_t *quants,
                        const int32_t *halves) {
  __builtin_memcpy(record->quants, quants, 32);
  record->scale = scale;
  record->sum = (int16_t)(halves[0] + halves[1]);
  record->first_sum = (int16_t)halves[0];
}

// Scale and inverse of a block whose largest magnitude has these bits (docs/NUMERICS.md).
INLINE int32_t block_scale(uint32_t largest_bits, float *scale, float *inverse) {
  float largest;
  __builtin_memcpy(&largest, &largest_bits, 4);
  *scale = *inverse = 0;
  if (largest_bits >= 0x7F800000u) return SHOAL_OUT_OF_RANGE;
  const float candidate = largest / 127.0f;
  if (candidate >= 0x1p-126f) {
    *scale = candidate;
    *inverse = 127.0f / largest;
  }
  return SHOAL_FINE;
}
