// QEMU plugin: counts the instructions between `mov r10, r10` and `mov r11, r11`
// (Thumb) and writes one number a line to the file named by the argument out=PATH.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "qemu_plugin.h"

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int qemu_plugin_version = 1;

enum { kBegin = 0x46D2, kEnd = 0x46DB };

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
    const uint8_t *bytes = qemu_plugin_insn_data(insn);
    const int half = qemu_plugin_insn_size(insn) == 2 ? bytes[0] | bytes[1] << 8 : 0;
    if (half == kBegin) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, QEMU_PLUGIN_CB_NO_REGS, NULL);
    } else if (half == kEnd) {
      qemu_plugin_register_vcpu_insn_exec_cb(insn, end, QEMU_PLUGIN_CB_NO_REGS, NULL);
    } else {
      qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, &executed,
                                                 1);
    }
  }
}

EXPORTED int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
                                 char **argv) {
  (void)info;
  for (int i = 0; i < argc; ++i) {
    if (strncmp(argv[i], "out=", 4) == 0) out = fopen(argv[i] + 4, "w");
  }
  if (out == NULL) return 1;
  qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
  return 0;
}
