"""The wheel carries all that its features need and works from another folder."""

import os
import pathlib
import subprocess
import sys
import zipfile

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with the unpacked wheel, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    environment = {
        **os.environ,
        "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    build += ["--no-index", "--quiet", "--wheel-dir", str(folder), str(REPOSITORY)]
    done = subprocess.run(build, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("keras_prune-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run_installed(installed, code, folder, **variables):
    # First in the path, before the checkout's own entry.
    program = f"import sys; sys.path.insert(0, {str(installed)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **variables},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_has_the_library_the_c_sources_and_the_type_marker(installed):
    names = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    assert "keras_prune/libkeras_prune_delegate.so" in names
    assert "keras_prune/py.typed" in names
    assert "keras_prune/tflite_kernels/include/spk/types.h" in names
    assert any(name.endswith(".j2") for name in names)
    assert not [
        name for name in names if "_test" in name or name.startswith(("tests/", "examples/"))
    ]


def test_wheel_is_for_one_platform_and_any_python_3(installed):
    (wheel,) = installed.parent.glob("*.whl")
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")


def test_import_needs_no_optional_package(installed, tmp_path):
    code = (
        "import keras_prune as kp\n"
        "loaded = [name for name in ('tensorflow', 'ai_edge_litert', 'jinja2')\n"
        "          if name in sys.modules]\n"
        "print(kp.__file__, loaded, kp.__version__)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    program = f"import sys; sys.path.insert(0, {str(installed)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert str(installed) in done.stdout
    assert "[]" in done.stdout


def test_readme_example_runs_from_another_folder(installed, tmp_path):
    text = (REPOSITORY / "README.md").read_text()
    example = text.split("```python\n")[1].split("```")[0]
    example += "\nprint(kp.__file__); kp.load_delegate()\n"
    output = run_installed(installed, example, tmp_path)
    assert str(installed) in output
    assert (tmp_path / "model.tflite").exists()
    assert (tmp_path / "model_c" / "src" / "model.c").exists()
