// Packed sparse weight formats. One packer in C serves Python (through ctypes),
// the delegate and the C export.
//
// A weight tensor is seen as a matrix of `rows` output units by `cols` inputs,
// row-major: (out, in) for FULLY_CONNECTED, (out, h*w*in) for CONV_2D.
//
// Every format has the same four functions:
//   spk_<format>_pack_size  bytes that pack() will write for this matrix
//   spk_<format>_pack       dense -> blob; nothing is written on error
//   spk_<format>_check      is this blob, of this length, a matrix of rows x cols?
//                           Never reads past `bytes`, whatever the blob says.
//   spk_<format>_unpack     blob -> dense (after check), for tests and tools
#ifndef SPK_FORMATS_H_
#define SPK_FORMATS_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// stream_s8: row-major {delta, weight} byte pairs, for int8 in portable C and on
// microcontrollers. Each row is
//   uint16 little endian   count of pairs
//   count x { uint8 delta, int8 weight }
// The column of a pair is the column of the pair before (0 at the start of the
// row) plus delta. A gap above 255 is bridged by filler pairs {255, 0}. All rows
// follow each other; every row starts on an even byte.
SPK_API size_t spk_stream_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols);
SPK_API spk_status spk_stream_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                      uint8_t *blob, size_t bytes);
SPK_API spk_status spk_stream_s8_check(const uint8_t *blob, size_t bytes, int32_t rows,
                                       int32_t cols);
SPK_API spk_status spk_stream_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows,
                                        int32_t cols, int8_t *dense);

// The same format with an odd count of pairs in every row: a header and its pairs are whole
// words. Where one pair is missing, a filler {delta, 0} divides a gap, or ends the row. A
// matrix with a row of an even number of weights and no zero cannot be packed, nor one with a
// row of more than 16383 pairs.
SPK_API size_t spk_stream_s8_pack_odd_size(const int8_t *dense, int32_t rows, int32_t cols);
SPK_API spk_status spk_stream_s8_pack_odd(const int8_t *dense, int32_t rows, int32_t cols,
                                          uint8_t *blob, size_t bytes);

// twins_s8: pairs of weights of a row whose inputs lie side by side in one of the two orders of
// spk/twins_s8.h, and a stream of the other weights, in whole words:
//   uint32 little endian   where the stream begins
//   uint8 fours[rows]      filled up to a multiple of 4
//   for each row, fours x { uint16 little endian place[4], int8 weight[8] }
//   stream_s8 with an odd count of pairs in every row
// A twin's weights belong to the columns at its place and the next one. Those of twins 0 and 1
// are bytes 0, 2 and 1, 3 of the weights, those of twins 2 and 3 bytes 4, 6 and 5, 7. Twins of
// two zeros fill up the last four. At most 32768 columns.
SPK_API size_t spk_twins_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols);
SPK_API spk_status spk_twins_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                     uint8_t *blob, size_t bytes);
SPK_API spk_status spk_twins_s8_check(const uint8_t *blob, size_t bytes, int32_t rows,
                                      int32_t cols);
SPK_API spk_status spk_twins_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows,
                                       int32_t cols, int8_t *dense);

// blocks_s8: 1x4 blocks of int8 weights, those of columns 4b .. 4b + 3 that are not all zero,
// in whole words. Each row is
//   uint16 little endian   count of blocks, at most 4095; count % 4 is 0, 1 or 2
//   uint8 delta[2]         the last count % 4 of them are those of the first blocks
//   int8 weight[count % 4][4]
//   count / 4 x { uint8 delta[4], int8 weight[4][4] }
// delta is 8 * the distance to the block before (block 0 at the start of a row), the bytes of
// the inputs in between, widened to int16. A distance above 31 is bridged by blocks of zeros;
// one more ends a row of which count % 4 would be 3.
SPK_API size_t spk_blocks_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols);
SPK_API spk_status spk_blocks_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                      uint8_t *blob, size_t bytes);
SPK_API spk_status spk_blocks_s8_check(const uint8_t *blob, size_t bytes, int32_t rows,
                                       int32_t cols);
SPK_API spk_status spk_blocks_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows,
                                        int32_t cols, int8_t *dense);

// groups_s8: N:M sparsity with N = 1: at most one weight in each group of m inputs, m = 4 or 8.
// Units of 64 columns follow each other, the last of a row with fewer groups, in whole words:
//   uint8 places[4]        group 4q + k has its place at bit 2q (m = 4) or 4q (m = 8) of byte k
//   int8 weight[groups]    filled up to a multiple of 4
// An empty group has place 0 and weight 0.
SPK_API size_t spk_groups_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                       int32_t m);
SPK_API spk_status spk_groups_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                      int32_t m, uint8_t *blob, size_t bytes);
SPK_API spk_status spk_groups_s8_check(const uint8_t *blob, size_t bytes, int32_t rows,
                                       int32_t cols, int32_t m);
SPK_API spk_status spk_groups_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows,
                                        int32_t cols, int32_t m, int8_t *dense);

// fours_s8: the weights of a row that are not zero, four at a time, for vector units that sum
// four products at once. Without `spread` a four is a block of the columns 4 i .. 4 i + 3, and
// cols is a multiple of four; with it, its columns are any, and the last four of a row is
// filled up with column 0, weight 0. Little endian, aligned to 4 bytes:
//   uint32 fours
//   uint16 count[rows]                        fours of each row, at least one
//   uint16 index[fours][spread ? 4 : 1]       a column, or a block i
//   int8 weights[fours][4]
// count and index are filled up to an even number; one four of zeros ends index and weights,
// so that kernels may load ahead.
SPK_API size_t spk_fours_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                      int32_t spread);
SPK_API spk_status spk_fours_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                     int32_t spread, void *blob, size_t bytes);
SPK_API spk_status spk_fours_s8_check(const void *blob, size_t bytes, int32_t rows,
                                      int32_t cols, int32_t spread);
SPK_API spk_status spk_fours_s8_unpack(const void *blob, size_t bytes, int32_t rows,
                                       int32_t cols, int32_t spread, int8_t *dense);

// csr_f32: compressed sparse rows for portable C and for pixel-vectorised convolution.
//   uint32 start[rows + 1]                    entries of row r are start[r] .. start[r + 1]
//   start[rows] x { uint32 column, float w }  columns ascend within a row
SPK_API size_t spk_csr_f32_pack_size(const float *dense, int32_t rows, int32_t cols);
SPK_API spk_status spk_csr_f32_pack(const float *dense, int32_t rows, int32_t cols, void *blob,
                                    size_t bytes);
SPK_API spk_status spk_csr_f32_check(const void *blob, size_t bytes, int32_t rows,
                                     int32_t cols);
SPK_API spk_status spk_csr_f32_unpack(const void *blob, size_t bytes, int32_t rows,
                                      int32_t cols, float *dense);

// blocks_f32: blocks of `height` neighbouring rows by one column, kept where a weight in them
// is not zero. `height` rows form a group; rows beyond the last have weights 0.
//   spk_blocks_f32_header
//   uint32 first[groups + 1]                  blocks of group g are first[g] .. first[g + 1]
//   uint32 column[blocks]                     columns ascend within a group
//   float weights[blocks][height]             aligned to 64 bytes from the start of the blob
typedef struct spk_blocks_f32_header {
  int32_t height, rows, cols, groups;
  uint32_t blocks;
} spk_blocks_f32_header;

SPK_API size_t spk_blocks_f32_pack_size(const float *dense, int32_t rows, int32_t cols,
                                        int32_t height);
SPK_API spk_status spk_blocks_f32_pack(const float *dense, int32_t rows, int32_t cols,
                                       int32_t height, void *blob, size_t bytes);
SPK_API spk_status spk_blocks_f32_check(const void *blob, size_t bytes, int32_t rows,
                                        int32_t cols, int32_t height);
SPK_API spk_status spk_blocks_f32_unpack(const void *blob, size_t bytes, int32_t rows,
                                         int32_t cols, int32_t height, float *dense);

// tuples_s8: rows of `n` nonzeros that a dot-product instruction takes at once; n is 2 (weights
// widened to int16) or 4 (int8). The last tuple of a row is filled up with weight 0.
//   uint32 start[rows + 1]
//   int32 sum[rows]                           the sum of the weights of each row
//   start[rows] x { uint32 column[n], 4 bytes of weights }
SPK_API size_t spk_tuples_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                       int32_t n);
SPK_API spk_status spk_tuples_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                      int32_t n, void *blob, size_t bytes);
SPK_API spk_status spk_tuples_s8_check(const void *blob, size_t bytes, int32_t rows,
                                       int32_t cols, int32_t n);
SPK_API spk_status spk_tuples_s8_unpack(const void *blob, size_t bytes, int32_t rows,
                                        int32_t cols, int32_t n, int8_t *dense);

// blocks4_s8: blocks of `height` neighbouring rows by four columns, kept where a weight in them
// is not zero; height is 1, 2 or 4. `height` rows form a group; rows are filled up to a
// multiple of four with weights 0. Columns are cut into runs of `run`, of which `cols` is a
// multiple (a row of a window, or all of them), and each run into blocks, the last one filled
// up in the same way: block i is block i % n of run i / n, where a run has n blocks.
//   spk_blocks4_s8_header
//   uint32 first[groups + 1]                  blocks of group g are first[g] .. first[g + 1]
//   int32 sum[groups * height]                the sum of the weights of each row
//   blocks x { uint32 i, int8 weights[height][4] }  i ascends within a group
typedef struct spk_blocks4_s8_header {
  int32_t height, rows, cols, run, groups;
  uint32_t blocks;
} spk_blocks4_s8_header;

SPK_API size_t spk_blocks4_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                        int32_t run, int32_t height);
SPK_API spk_status spk_blocks4_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                       int32_t run, int32_t height, void *blob, size_t bytes);
SPK_API spk_status spk_blocks4_s8_check(const void *blob, size_t bytes, int32_t rows,
                                        int32_t cols, int32_t run, int32_t height);
SPK_API spk_status spk_blocks4_s8_unpack(const void *blob, size_t bytes, int32_t rows,
                                         int32_t cols, int32_t run, int32_t height,
                                         int8_t *dense);

// row_blocks_s8: blocks of `height` neighbouring rows by the four columns 4 b .. 4 b + 3, kept
// where a weight in them is not zero. `height` rows form a group; rows and columns beyond the
// last have weights 0.
//   spk_row_blocks_s8_header
//   uint32 first[groups + 1]                  blocks of group g are first[g] .. first[g + 1]
//   int32 sum[groups * height]                the sum of the weights of each row
//   int8 weights[blocks][height][4]           aligned to 64 bytes from the start of the blob
//   uint16 column[blocks]                     4 b, ascending within a group
typedef struct spk_row_blocks_s8_header {
  int32_t height, rows, cols, groups;
  uint32_t blocks;
} spk_row_blocks_s8_header;

SPK_API size_t spk_row_blocks_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                           int32_t height);
SPK_API spk_status spk_row_blocks_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                          int32_t height, void *blob, size_t bytes);
SPK_API spk_status spk_row_blocks_s8_check(const void *blob, size_t bytes, int32_t rows,
                                           int32_t cols, int32_t height);
SPK_API spk_status spk_row_blocks_s8_unpack(const void *blob, size_t bytes, int32_t rows,
                                            int32_t cols, int32_t height, int8_t *dense);

// windows: FULLY_CONNECTED weights for in-register table look-up. `lanes` rows form a group. A
// step is a window of `width` neighbouring columns, free to start anywhere, out of which every
// row of the group takes up to `slots` of its next nonzeros. The window starts at the first
// column that some row still needs, so that rows which run ahead wait for the others: with
// random zeros this needs a third fewer steps than windows on a fixed grid. With `align`
// windows start at multiples of it, and move on when its columns have been taken: half the
// width takes 5 % more steps, as many as there are nonzeros where each window has the same
// number of them, and most steps find the window loaded. They may then end beyond the last
// column.
//   spk_windows_header
//   uint32 first_step[groups + 1]
//   int32 sum[groups * lanes]                 int8: the sum of the weights of each row, else 0
//   weights[steps][lanes][slots]              aligned to 64 bytes from the start of the blob
//   uint8 index[steps][lanes][slots]          column - start; 0 in empty slots
//   uint16 start[steps]
// A quad is four int8 weights of neighbouring columns, kept where one is not zero; `cols` and
// all columns count quads then.
typedef struct spk_windows_shape {
  int32_t lanes, width, slots;
  int32_t element;  // bytes of a weight: 4 (float32 or a quad) or 1 (int8)
  int32_t align;    // windows start anywhere if it is 0
  int32_t quads;    // 1: elements are quads, not float32
} spk_windows_shape;

typedef struct spk_windows_header {
  spk_windows_shape shape;
  int32_t rows, cols, groups, steps;
} spk_windows_header;

SPK_API size_t spk_windows_pack_size(const void *dense, int32_t rows, int32_t cols,
                                     const spk_windows_shape *shape);
SPK_API spk_status spk_windows_pack(const void *dense, int32_t rows, int32_t cols,
                                    const spk_windows_shape *shape, void *blob, size_t bytes);
SPK_API spk_status spk_windows_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                     const spk_windows_shape *shape);
SPK_API spk_status spk_windows_unpack(const void *blob, size_t bytes, int32_t rows,
                                      int32_t cols, const spk_windows_shape *shape,
                                      void *dense);

#ifdef __cplusplus
}
#endif
#endif  // SPK_FORMATS_H_
