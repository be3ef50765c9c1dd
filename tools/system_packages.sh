#!/bin/sh
# Installs the system packages that the tests use, when root and apt are here;
# else says what will be skipped. Touches nothing when all is there.
set -eu

missing=""
need() { # need COMMAND PACKAGES
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need cc "gcc libc6-dev"
need arm-none-eabi-gcc "gcc-arm-none-eabi libnewlib-arm-none-eabi"
need qemu-system-arm "qemu-system-arm"
need clang-19 "clang-19"
need ld.lld-19 "lld-19"
need qemu-hexagon "qemu-user"
need qemu-aarch64 "qemu-user"
need aarch64-linux-gnu-gcc "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
need bazel "bazel-bootstrap bazel-platforms"
python3 -c "import ensurepip, venv" 2>/dev/null || missing="$missing python3-venv"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing$missing"
  apt-get update -qq || true
  known="" unknown=""
  for package in $missing; do # one that this release lacks must not keep the others out
    if apt-cache show "$package" >/dev/null 2>&1; then known="$known $package"; else unknown="$unknown $package"; fi
  done
  # shellcheck disable=SC2086  # one word a package
  if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $known >/dev/null; then
    [ -n "$unknown" ] || exit 0
    missing="$unknown"
  fi
fi
echo "Not installed:$missing. The tests that use them are skipped: a C compiler builds the" \
  "delegate, arm-none-eabi-gcc and QEMU run microcontroller projects, Clang compiles them too," \
  "aarch64-linux-gnu-gcc and QEMU run the kernels for 64-bit Arm," \
  "Bazel builds the BUILD files."
