// eights_s8: the rows of lanes_s8 eight by eight, for a product with one input at a time.
//
// Rows of about as many groups go together, the longest first. Each eight is
//   uint16 little endian   count of groups of its longest row
//   uint16 row[8]          the rows, which ascend among those of one length
//   count x group[8]       the first group of each row, the second of each ...
// What a row has too few of are groups of zeros. A last eight that is not full repeats the last
// row. The whole is aligned to 2 bytes; there are at most 65536 rows.
#ifndef SPK_EIGHTS_S8_H_
#define SPK_EIGHTS_S8_H_

#include "spk/lanes_s8.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SPK_EIGHT = 8, SPK_EIGHTS_HEADER = 2 + 2 * SPK_EIGHT };

// `lanes` is what spk_lanes_s8_pack made.
SPK_API size_t spk_eights_s8_pack_size(const uint8_t *lanes, int32_t rows, int32_t block);
SPK_API spk_status spk_eights_s8_pack(const uint8_t *lanes, int32_t rows, int32_t block,
                                      uint8_t *blob, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif  // SPK_EIGHTS_S8_H_
