"""The files that build systems read: well-formed, and what they name exists."""

import configparser
import json
import re
import subprocess

import pytest

import keras_prune as kp
from keras_prune.export.c import export_c
from keras_prune.export.c.emitter import WARNINGS
from keras_prune.runtime.c_targets import source_root
from tests.export.c_model_builder import needs
from tests.export.c_networks import pruned_network

VERSION = re.compile(r"\d+\.\d+\.\d+")
ROOT = source_root()
FOLDERS = ("portable", "reference")  # those of processors need their compilers


def _has_only_shared_headers(path):
    return all(name.startswith("spk/") for name in re.findall('#include "(.*)"', path.read_text()))


# What a project may have; the float kernels of whole layers are the delegate's alone.
KERNELS = [path for name in FOLDERS for path in ROOT.glob(f"kernels/{name}/*.c")]
KERNELS = [path for path in KERNELS if _has_only_shared_headers(path)]
KERNELS = [p for p in KERNELS if not re.match("(conv2d|fully_connected)_f32", p.stem)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("layout")
    export_c(pruned_network(folder / "network.tflite"), folder / "digits", name="digits")
    return folder / "digits"


def test_there_is_one_public_header_and_one_source_beside_the_kernels(project):
    assert {path.name for path in (project / "src").iterdir()} == {
        "digits.h",
        "digits.c",
        "kernels",
        "spk",
    }


def test_arduino_finds_the_library(project):
    # https://arduino.github.io/arduino-cli/latest/library-specification
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(f"[library]\n{(project / 'library.properties').read_text()}")
    properties = dict(parser["library"])
    assert properties["name"] == "digits"
    assert VERSION.fullmatch(properties["version"]) and properties["version"] == kp.__version__
    for key in ("author", "maintainer", "sentence", "paragraph", "url", "architectures"):
        assert properties[key]
    assert properties["category"] == "Data Processing"
    assert (project / "src" / properties["includes"]).is_file()
    assert properties["dot_a_linkage"] == "true"  # else the kernels of two models would clash
    (sketch,) = (project / "examples").glob("*/*.ino")
    assert sketch.stem == sketch.parent.name


ARDUINO = """
#include <stddef.h>
#include <stdio.h>
#include <string.h>
static struct { void begin(long) {} void println(int value) { printf("%d\\n", value); } } Serial;
static void delay(int) {}
"""


@needs("g++", "make")
def test_the_sketch_runs_as_cpp(project, tmp_path):
    (tmp_path / "Arduino.h").write_text(ARDUINO)
    (sketch,) = (project / "examples").glob("*/*.ino")
    program = f'#include "Arduino.h"\n#include "{sketch}"\nint main() {{ setup(); loop(); }}\n'
    (tmp_path / "sketch.cpp").write_text(program)
    make = ["make", "-C", str(project), f"BUILD={tmp_path / 'build'}", "CFLAGS=-O1"]
    subprocess.run(make, check=True, capture_output=True)
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    command += [f"-I{tmp_path}", f"-I{project / 'src'}", str(tmp_path / "sketch.cpp")]
    command += [str(tmp_path / "build" / "libdigits.a"), "-o", str(tmp_path / "sketch")]
    subprocess.run(command, check=True)
    done = subprocess.run([str(tmp_path / "sketch")], check=True, capture_output=True)
    assert len(done.stdout.split()) == 10


def test_platformio_finds_the_library(project):
    # https://docs.platformio.org/en/latest/manifests/library-json
    manifest = json.loads((project / "library.json").read_text())
    assert manifest["name"] == "digits" and manifest["version"] == kp.__version__
    assert (project / manifest["build"]["srcDir"] / "digits.c").is_file()
    assert (project / manifest["build"]["includeDir"] / manifest["headers"]).is_file()
    assert manifest["build"]["libArchive"] is True
    assert manifest["frameworks"] == manifest["platforms"] == "*"


def test_zephyr_finds_the_module(project):
    yaml = pytest.importorskip("yaml")
    # https://docs.zephyrproject.org/latest/develop/modules.html
    module = yaml.safe_load((project / "zephyr" / "module.yml").read_text())
    assert module["name"] == "digits"
    assert (project / module["build"]["cmake"] / "CMakeLists.txt").is_file()
    kconfig = (project / module["build"]["kconfig"]).read_text()
    assert kconfig.startswith("config DIGITS\n\tbool ")
    assert "CONFIG_DIGITS" in (project / "zephyr" / "CMakeLists.txt").read_text()


def test_every_build_file_lists_every_source(project):
    sources = {str(path.relative_to(project)) for path in project.glob("src/**/*.c")}
    for name in ("CMakeLists.txt", "Makefile", "zephyr/CMakeLists.txt"):
        listed = re.findall(r"(?<![\w/])src/[\w/]+\.c", (project / name).read_text())
        assert sorted(listed) == sorted(sources - ({"src/digits.c"} if "zeph" in name else set()))
    readme = (project / "README.md").read_text()
    assert all(f"`{source}`" in readme for source in sources)


ARM = ["--target=thumbv7em-none-eabi", "-isystem", "/usr/lib/arm-none-eabi/include"]
COMPILERS = [
    pytest.param(compiler, flags, marks=needs(compiler, *also))
    for compiler, flags, also in (
        ("gcc", [], ()),
        ("arm-none-eabi-gcc", ["-mthumb", "-mcpu=cortex-m4"], ()),
        ("arm-none-eabi-gcc", ["-mthumb", "-mcpu=cortex-m0"], ()),
        ("clang-19", [], ()),
        ("clang-19", ARM, ("arm-none-eabi-gcc",)),
    )
]


@pytest.mark.parametrize(("compiler", "flags"), COMPILERS)
def test_no_compiler_warns(project, tmp_path, compiler, flags):
    command = [compiler, *flags, "-std=c11", "-O2", "-Werror", *WARNINGS]
    sources = [project / "src" / "digits.c", project / "examples" / "host" / "main.c", *KERNELS]
    command += [f"-I{project / 'src'}", f"-I{ROOT / 'include'}", "-c", *map(str, sources)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs("cc", "nm")
def test_nothing_is_allocated_and_nothing_changes_outside_the_arena(project, tmp_path):
    integer = [path for path in KERNELS if "s8" in path.stem or "f32" not in path.stem]
    sources = [str(project / "src" / "digits.c"), *map(str, integer)]
    command = ["cc", "-std=c11", "-O2", "-fno-pie", "-fno-stack-protector", "-c", *sources]
    command += [f"-I{ROOT / 'include'}", f"-I{project / 'src'}"]
    subprocess.run(command, cwd=tmp_path, check=True)
    command = ["nm", "-P", *map(str, tmp_path.glob("*.o"))]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    symbols = [line.split()[:2] for line in listing.splitlines() if not line.endswith(":")]
    wanted = {name for name, kind in symbols if kind == "U" and not name.startswith("spk_")}
    assert wanted <= {"memcpy", "memmove", "memset"}
    assert {kind for _, kind in symbols} <= set("UTtr")  # no data, no BSS
