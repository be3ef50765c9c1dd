// The two files of a run: inputs.bin is read, outputs.bin written, both in the
// current folder.
#ifndef SPK_RUN_FILES_H_
#define SPK_RUN_FILES_H_

#include <stddef.h>

int files_open(void);                             // 0 when both are open
int files_read(void *to, size_t bytes);           // 1, or 0 at the end of the inputs
int files_write(const void *from, size_t bytes);  // 1, or 0 on an error
void files_close(void);

#endif  // SPK_RUN_FILES_H_
