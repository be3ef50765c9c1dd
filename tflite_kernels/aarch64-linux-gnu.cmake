# For cross-building for 64-bit Arm under Linux: cmake -DCMAKE_TOOLCHAIN_FILE=<this file>. With
# -DCMAKE_C_COMPILER=clang-19, Clang compiles for the GNU tool chain's C library. Tests run in
# QEMU where it is installed; SPK_CPU chooses the processor that it shows them.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(SPK_TRIPLE aarch64-linux-gnu)

if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER ${SPK_TRIPLE}-gcc)
endif()
set(CMAKE_C_COMPILER_TARGET ${SPK_TRIPLE})
set(CMAKE_FIND_ROOT_PATH /usr/${SPK_TRIPLE})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)

set(SPK_CPU max CACHE STRING "The processor that QEMU emulates for tests")
find_program(SPK_QEMU qemu-aarch64)
if(SPK_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${SPK_QEMU} -cpu ${SPK_CPU} -L /usr/${SPK_TRIPLE})
endif()
