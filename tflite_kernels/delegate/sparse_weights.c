// TFLite stores a sparse tensor as a tree: level l walks dimension traversal_order[l], either
// densely or through compressed segments and indices (like CSR). Dimensions from the rank on
// are the insides of blocks; block_map[b] names the dimension that block dimension rank + b
// divides.
#include "delegate/sparse_weights.h"

#include <string.h>

enum { kMaxRank = 4, kMaxLevels = 8 };

typedef struct sparse_walk {
  const TfLiteSparsity *sparsity;
  int rank, levels;
  int level_size[kMaxLevels];        // extent of the dimension that a level walks
  int64_t level_stride[kMaxLevels];  // elements between neighbours along it
  const uint8_t *values;
  size_t element, count, used;  // bytes of a value, values in the tensor, values consumed
  uint8_t *dense;
} sparse_walk;

static size_t element_bytes(int type) {
  return type == kTfLiteFloat32 ? 4 : type == kTfLiteInt8 ? 1 : 0;
}

size_t spk_dense_bytes(const TfLiteTensor *tensor) {
  if (!tensor->dims || tensor->dims->size < 1 || tensor->dims->size > kMaxRank) return 0;
  int64_t elements = 1;
  for (int i = 0; i < tensor->dims->size; ++i) {
    const int64_t extent = tensor->dims->data[i];
    if (extent < 1 || extent > INT32_MAX / 8) return 0;
    elements *= extent;
    if (elements > INT32_MAX / 8) return 0;
  }
  return (size_t)elements * element_bytes(tensor->type);
}

// level_of[dimension]; false when traversal_order is not a permutation with the blocks last.
static bool invert_traversal(const TfLiteSparsity *s, int rank, int levels, int *level_of) {
  bool seen[kMaxLevels] = {false};
  for (int level = 0; level < levels; ++level) {
    const int dimension = s->traversal_order->data[level];
    if (dimension < 0 || dimension >= levels || seen[dimension]) return false;
    if ((level < rank) != (dimension < rank)) return false;
    seen[dimension] = true;
    level_of[dimension] = level;
  }
  return true;
}

// Splits the dimensions that have blocks and fills level_size and level_stride.
static bool lay_out_levels(sparse_walk *walk, const TfLiteIntArray *dims, const int *level_of) {
  const TfLiteSparsity *s = walk->sparsity;
  int64_t stride[kMaxRank];
  int size[kMaxRank], last_blocked = -1;
  int64_t elements = 1;
  for (int i = walk->rank - 1; i >= 0; --i) {
    stride[i] = elements;
    size[i] = dims->data[i];
    elements *= size[i];
  }
  for (int b = 0; b < walk->levels - walk->rank; ++b) {
    const int blocked = s->block_map->data[b], level = level_of[walk->rank + b];
    const TfLiteDimensionMetadata *block = &s->dim_metadata[level];
    if (blocked <= last_blocked || blocked >= walk->rank) return false;
    if (block->format != kTfLiteDimDense || block->dense_size < 1) return false;
    if (size[blocked] % block->dense_size != 0) return false;
    last_blocked = blocked;
    walk->level_size[level] = block->dense_size;
    walk->level_stride[level] = stride[blocked];
    size[blocked] /= block->dense_size;
    stride[blocked] *= block->dense_size;
  }
  for (int i = 0; i < walk->rank; ++i) {
    walk->level_size[level_of[i]] = size[i];
    walk->level_stride[level_of[i]] = stride[i];
  }
  return true;
}

static bool metadata_is_valid(const sparse_walk *walk) {
  for (int level = 0; level < walk->levels; ++level) {
    const TfLiteDimensionMetadata *dimension = &walk->sparsity->dim_metadata[level];
    if (dimension->format == kTfLiteDimDense) {
      if (dimension->dense_size != walk->level_size[level]) return false;
    } else if (dimension->format != kTfLiteDimSparseCSR || !dimension->array_segments ||
               !dimension->array_indices) {
      return false;
    }
  }
  return true;
}

static bool walk_level(sparse_walk *walk, int level, int64_t parent, int64_t offset);

static bool take_value(sparse_walk *walk, int64_t offset) {
  if (walk->used >= walk->count) return false;
  memcpy(walk->dense + (size_t)offset * walk->element,
         walk->values + walk->used++ * walk->element, walk->element);
  return true;
}

static bool walk_segment(sparse_walk *walk, int level, int64_t parent, int64_t offset) {
  const TfLiteDimensionMetadata *dimension = &walk->sparsity->dim_metadata[level];
  const TfLiteIntArray *segments = dimension->array_segments;
  const TfLiteIntArray *indices = dimension->array_indices;
  if (parent + 1 >= segments->size) return false;
  const int first = segments->data[parent], last = segments->data[parent + 1];
  if (first < 0 || last < first || last > indices->size) return false;
  for (int i = first; i < last; ++i) {
    const int index = indices->data[i];
    if (index < 0 || index >= walk->level_size[level]) return false;
    if (!walk_level(walk, level + 1, i, offset + index * walk->level_stride[level]))
      return false;
  }
  return true;
}

// `parent` numbers the node of the level above, as the segments of this level count them.
static bool walk_level(sparse_walk *walk, int level, int64_t parent, int64_t offset) {
  if (level == walk->levels) return take_value(walk, offset);
  if (walk->sparsity->dim_metadata[level].format == kTfLiteDimSparseCSR)
    return walk_segment(walk, level, parent, offset);
  const int size = walk->level_size[level];
  for (int i = 0; i < size; ++i) {
    if (!walk_level(walk, level + 1, parent * size + i, offset + i * walk->level_stride[level]))
      return false;
  }
  return true;
}

static const char *decode(const TfLiteTensor *tensor, uint8_t *dense) {
  const TfLiteSparsity *s = tensor->sparsity;
  const int rank = tensor->dims->size;
  const int blocks = s->block_map ? s->block_map->size : 0;
  const int levels = s->dim_metadata_size;
  sparse_walk walk = {.sparsity = s, .rank = rank, .levels = levels, .dense = dense};
  int level_of[kMaxLevels];
  if (!s->traversal_order || !s->dim_metadata || blocks > rank || levels != rank + blocks ||
      s->traversal_order->size != levels)
    return "its sparsity describes another number of dimensions";
  if (!invert_traversal(s, rank, levels, level_of) ||
      !lay_out_levels(&walk, tensor->dims, level_of) || !metadata_is_valid(&walk))
    return "its sparsity does not fit its shape";
  walk.values = tensor->data;
  walk.element = element_bytes(tensor->type);
  walk.count = tensor->bytes / walk.element;
  if (!walk_level(&walk, 0, 0, 0)) return "its sparse indices are out of range";
  return NULL;
}

const char *spk_dense_weights(const TfLiteTensor *tensor, void *dense, size_t bytes) {
  if (bytes == 0 || bytes != spk_dense_bytes(tensor)) return "its shape is not supported";
  if (!tensor->data) return "it has no data";
  if (tensor->sparsity) {
    memset(dense, 0, bytes);
    return decode(tensor, dense);
  }
  if (tensor->bytes != bytes) return "its size does not fit its shape";
  memcpy(dense, tensor->data, bytes);
  return NULL;
}
