# `make demo` and `make test` are the whole set-up on a fresh machine.
PYTHON  ?= python3
VENV    ?= .venv
DATASET ?= digits
OLD_VENV := $(VENV)-tflite-runtime

PY     := $(VENV)/bin/python
# Test processes, of up to 3 GB each; each computes on one thread.
JOBS   ?= $(shell n=$$(nproc 2>/dev/null || echo 1); echo $$((n < 4 ? n : 4)))
CHECK  := OMP_NUM_THREADS=1 TF_NUM_INTRAOP_THREADS=1 $(PY) -m pytest -n $(JOBS) --dist worksteal
# What one test process has compiled, the others load: compiling is most of what JAX does in tests.
JAX_CACHE := JAX_COMPILATION_CACHE_DIR=$(CURDIR)/build/jax \
  JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=0 JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES=-1
LIBRARY := libkeras_prune_delegate.so
# The environments are made again when what they are made from changes, not when a
# checkout touches the files.
digest = $(shell cat $(1) | sha256sum | cut -c1-16)
READY     := $(VENV)/.ready-$(call digest,requirements/develop.txt)
OLD_READY := $(OLD_VENV)/.ready-$(call digest,requirements/tflite-runtime.txt)

export TF_CPP_MIN_LOG_LEVEL ?= 2
export JAX_PLATFORMS ?= cpu
export KERAS_PRUNE_TFLITE_RUNTIME_PYTHON ?= $(abspath $(OLD_VENV))/bin/python

.PHONY: demo test setup native lint test-c test-python test-bazel check-qemu bench bench-delegate bench-mcu format clean

demo: setup native
	$(PY) -m examples.demo --dataset $(DATASET)

test: lint test-c test-python test-bazel

setup: $(READY)
	@tools/system_packages.sh

$(READY):
	@tools/system_packages.sh
	$(PYTHON) -m venv $(VENV)
	$(PY) -m pip install --quiet --upgrade pip
	$(PY) -m pip install --quiet -r requirements/develop.txt
	echo "$(CURDIR)" > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/keras_prune_checkout.pth"
	rm -f $(VENV)/.ready-* && touch $@

$(OLD_READY):
	$(PYTHON) -m venv $(OLD_VENV)
	-$(OLD_VENV)/bin/python -m pip install --quiet -r requirements/tflite-runtime.txt \
	  && rm -f $(OLD_VENV)/.ready-* && touch $@

# The delegate, built into the package folder of this checkout, and moved there in one step:
# writing over a library that some process has loaded would crash it.
native: setup
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake -S . -B build/native -G Ninja -DCMAKE_BUILD_TYPE=Release -DSPK_TESTS=ON --log-level=WARNING
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake --build build/native
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake --install build/native --prefix build/stage --component delegate >/dev/null
	@cmp -s build/stage/keras_prune/$(LIBRARY) keras_prune/$(LIBRARY) || mv -f build/stage/keras_prune/$(LIBRARY) keras_prune/

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	git ls-files '*.c' '*.h' | xargs -r $(VENV)/bin/clang-format --dry-run --Werror

# Once as users get it, once under the address and undefined-behaviour sanitizers.
test-c: native
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake -S tflite_kernels -B build/sanitized -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSPK_SANITIZE=ON --log-level=WARNING
	@PATH="$(abspath $(VENV))/bin:$$PATH" cmake --build build/sanitized
	PATH="$(abspath $(VENV))/bin:$$PATH" ctest --test-dir build/native --output-on-failure
	PATH="$(abspath $(VENV))/bin:$$PATH" ctest --test-dir build/sanitized --output-on-failure

test-python: native $(OLD_READY)
	rm -rf build/jax
	KERAS_BACKEND=jax $(JAX_CACHE) $(CHECK) -m all_backends
	KERAS_BACKEND=torch $(CHECK) -m all_backends
	KERAS_BACKEND=tensorflow $(CHECK)

test-bazel:
	@tools/bazel_test.sh

# Kernel tests and exported models on QEMU's Cortex-M boards and Hexagon; a small part is in test-python.
check-qemu: setup
	$(PY) -m tools.check_qemu

bench: setup native
	$(PY) -m benchmarks.run_all

# The times in docs/delegate.md. What is in benchmarks/results is not measured again; part of it:
# python -m benchmarks.delegate_layers --cases "Dense 1024" --again
bench-delegate: setup native
	$(PY) -m benchmarks.run_all --delegate

# Exact counts: the tables in docs/ and the budgets that the tests keep.
bench-mcu: setup native
	$(PY) -m benchmarks.run_all --microcontroller
	$(PY) -m tests.export.c_budgets

format: setup
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	git ls-files '*.c' '*.h' | xargs -r $(VENV)/bin/clang-format -i

clean:
	rm -rf build keras_prune/*.so demo-out
