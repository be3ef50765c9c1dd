// QEMU plugin: counts what is executed between two marks and writes one number a line to
// the file named by the argument out=PATH. On Arm these are the instructions between
// `mov r10, r10` and `mov r11, r11` (Thumb), on Hexagon the packets between `r10 = r10`
// and `r11 = r11`, each in a packet of its own, on 64-bit Arm the instructions between
// `mov x10, x10` and `mov x11, x11`.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qemu_plugin.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = 1;

// A mark as the processor reads it, without the bits that say where a packet ends.
typedef struct mark {
  size_t bytes;
  uint32_t begin, end, bits;
} mark;

static const mark thumb = {2, 0x46D2, 0x46DB, 0xFFFF};
static const mark hexagon = {4, 0x706A000A, 0x706B000B, 0xFFFF3FFF};
static const mark aarch64 = {4, 0xAA0A03EA, 0xAA0B03EB, 0xFFFFFFFF};
static const mark *marks;

static uint64_t executed, at_begin;
static FILE *out;

static void begin(unsigned vcpu, void *data) {
  (void)vcpu;
  (void)data;
  at_begin = executed;
}

static void end(unsigned vcpu, void *data) {
  (void)vcpu;
  (void)data;
  fprintf(out, "%" PRIu64 "\n", executed - at_begin);
  fflush(out);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
  (void)id;
  for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
    struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
    // What QEMU copied of an instruction holds older bytes too where it translated a long
    // block twice; so it is read where it lies.
    const void *const at = qemu_plugin_insn_haddr(insn);
    uint32_t code = 0;
    if (at != NULL) memcpy(&code, at, marks->bytes);
    code &= marks->bits;
    if (code == marks->begin) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
    } else if (code == marks->end) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
    } else {
      qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed,
                                                 1);
    }
  }
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                 char **argv) {
  marks = &thumb;
  if (strcmp(info->target_name, "hexagon") == 0) marks = &hexagon;
  if (strcmp(info->target_name, "aarch64") == 0) marks = &aarch64;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
  }
  if (out == NULL) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
