"""Two models in one program, built as their users do: all share the kernels."""

import pathlib
import subprocess

import numpy as np
import pytest

from keras_prune.export.c import export_c
from tests.export.c_model_builder import needs, random_int8, reference
from tests.export.c_networks import SIZE, pruned_network

PROGRAM = pathlib.Path(__file__).parent / "several_models.c"
IMAGES = random_int8(np.random.default_rng(3), (4, SIZE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for seed, name in enumerate(("first", "second")):
        path = pruned_network(folder / f"{name}.tflite", 0.3 + 0.5 * seed, seed)
        export_c(path, folder / name, "host", name=name)
    return folder


def expected(folder):
    outputs = [reference(folder / f"{name}.tflite", IMAGES) for name in ("first", "second")]
    return np.concatenate(outputs, axis=1)


def call(*command, **options):
    done = subprocess.run(command, capture_output=True, **options)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def outputs_of(program):
    written = call(str(program), input=IMAGES.tobytes())
    return np.frombuffer(written, np.int8).reshape(len(IMAGES), -1)


def includes(folder):
    return [f"-I{folder / name / 'src'}" for name in ("first", "second")]


@needs("cc", "make")
def test_libraries_of_two_makefiles_link_together(folder, tmp_path):
    for name in ("first", "second"):
        call("make", "-C", str(folder / name), f"BUILD={tmp_path / name}", "CFLAGS=-O1 -Werror")
    libraries = [str(tmp_path / name / f"lib{name}.a") for name in ("first", "second")]
    command = ["cc", *includes(folder), str(PROGRAM), *libraries, "-pthread"]
    call(*command, "-o", str(tmp_path / "program"))
    np.testing.assert_array_equal(outputs_of(tmp_path / "program"), expected(folder))


@needs("cmake", "cc")
def test_two_cmake_subdirectories_link_together(folder, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.16)\nproject(both C)\n"
        f"add_subdirectory({folder}/first first)\nadd_subdirectory({folder}/second second)\n"
        f"add_executable(program {PROGRAM})\ntarget_link_libraries(program first second pthread)\n"
    )
    call("cmake", "-S", str(tmp_path), "-B", str(tmp_path / "build"))
    call("cmake", "--build", str(tmp_path / "build"))
    np.testing.assert_array_equal(outputs_of(tmp_path / "build" / "program"), expected(folder))


# What Zephyr's functions do with sources, as far as two modules need them.
ZEPHYR = """
cmake_minimum_required(VERSION 3.20)
project(application C)
set(CONFIG_FIRST y)
set(CONFIG_SECOND y)
macro(zephyr_library_named name)
  set(library ${{name}})
  add_library(${{name}} OBJECT)
endmacro()
function(zephyr_library_sources)
  target_sources(${{library}} PRIVATE ${{ARGN}})
endfunction()
function(zephyr_library_compile_options)
  target_compile_options(${{library}} PRIVATE ${{ARGN}})
endfunction()
function(zephyr_include_directories)
  foreach(folder IN LISTS ARGN)
    target_include_directories(${{library}} PUBLIC ${{CMAKE_CURRENT_SOURCE_DIR}}/${{folder}})
  endforeach()
endfunction()
add_subdirectory({folder}/first/zephyr first)
add_subdirectory({folder}/second/zephyr second)
add_executable(program {program})
target_link_libraries(program first second pthread)
"""


@needs("cmake", "cc")
def test_zephyr_builds_each_kernel_once(folder, tmp_path):
    # Objects are linked whole, as Zephyr links its libraries: a kernel built twice would clash.
    text = ZEPHYR.format(folder=folder, program=PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(text)
    call("cmake", "-S", str(tmp_path), "-B", str(tmp_path / "build"))
    call("cmake", "--build", str(tmp_path / "build"))
    np.testing.assert_array_equal(outputs_of(tmp_path / "build" / "program"), expected(folder))


@needs("cc")
@pytest.mark.parametrize("sanitizer", ["thread", "address,undefined"])
def test_threads_share_nothing(folder, tmp_path, sanitizer):
    kernels = {}
    for name in ("first", "second"):
        for source in (folder / name / "src").glob("**/*.c"):
            kernels.setdefault(str(source.relative_to(folder / name)), str(source))
    command = ["cc", "-g", "-O1", f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all"]
    command += [*includes(folder), str(PROGRAM), *kernels.values(), "-pthread"]
    call(*command, "-o", str(tmp_path / "program"))
    np.testing.assert_array_equal(outputs_of(tmp_path / "program"), expected(folder))


def test_kernels_are_the_same_files_in_every_folder(folder):
    first, second = (folder / name / "src" for name in ("first", "second"))
    shared = [p.relative_to(first) for p in first.glob("*/**/*.[ch]")]
    shared = [path for path in shared if (second / path).exists()]
    assert len(shared) > 8
    for path in shared:
        assert (first / path).read_bytes() == (second / path).read_bytes()
