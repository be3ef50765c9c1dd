#!/bin/sh
# Builds and tests the BUILD files without a network, where Bazel is installed.
set -eu
cd "$(dirname "$0")/.."
if ! command -v bazel >/dev/null 2>&1; then
  echo "Bazel is not installed: the BUILD files are not tested."
  exit 0
fi
set -- --override_repository=rules_cc="$PWD/bazel/rules_cc" \
  --override_repository=rules_java="$PWD/bazel/rules_java" \
  --override_repository=remote_coverage_tools="$PWD/bazel/remote_coverage_tools"
# Debian keeps @platforms in a package of its own.
if [ -d /usr/share/bazel/platforms ]; then
  set -- "$@" --override_repository=platforms=/usr/share/bazel/platforms
fi
exec bazel --max_idle_secs=60 test //:all //tflite_kernels/... "$@" --noshow_progress \
  --test_output=errors --spawn_strategy=local
