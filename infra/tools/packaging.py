"""Packaging: the layers' dependencies and library, and the build context of the container image.

Nothing here needs Docker. The dependencies are resolved by uv for Lambda's own platform from the project's lock
file, and cached until the lock file changes. Both layers are compiled, because Lambda mounts them read-only and would
compile them again at every cold start; that takes a Python of Lambda's version on this machine.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "layers" / "energyplus"
IMAGE_CONTEXT = ROOT
IMAGE_EXCLUDE = [
    "**",
    "!functions/__init__.py",
    "!functions/run_variant/**",
    "!functions/aggregate/**",
    "!layers/energyplus/python/epsm/**",
    "!layers/energyplus/engines/**",
    "**/__pycache__",
    "**/*.pyc",
]
"""In Docker's ignore syntax: everything but what the Dockerfile copies."""

IMAGE_REQUIREMENTS = ROOT / "functions" / "run_variant" / "requirements.txt"
_HEADER = "# From uv.lock, by `python -m infra.tools.packaging`. Do not edit: `make check` would notice.\n"

_LAYERS = ROOT / "build" / "layers"
_LIBRARIES = ROOT / "build" / "library"
_PYTHON = "3.13"
"""Python of the functions."""
_PLATFORM = ("--python-platform", "x86_64-manylinux2014", "--python-version", _PYTHON)
MAX_UNZIPPED_MB = 250


def dependencies_folder() -> Path:
    """The dependencies layer as a folder, built if the lock file has changed since.

    Raises:
        subprocess.CalledProcessError: If uv cannot resolve or download; it has printed the reason.
    """
    lock = (ROOT / "uv.lock").read_bytes() + " ".join((*_PLATFORM, str(interpreter()))).encode()
    folder = _LAYERS / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.is_dir():
        with _alone():
            if not folder.is_dir():
                _build_layer(folder)
    return folder


def library_folder() -> Path:
    """The library layer as a folder, copied and compiled if the library has changed since."""
    sources = [path for path in sorted((LIBRARY / "python").rglob("*")) if path.is_file() and path.suffix != ".pyc"]
    digest = hashlib.sha256(str(interpreter()).encode())
    for path in sources:
        digest.update(f"{path.relative_to(LIBRARY)}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    folder = _LIBRARIES / digest.hexdigest()[:16]
    with _alone():
        if not folder.is_dir():
            shutil.rmtree(_LIBRARIES, ignore_errors=True)
            for path in sources:
                copy = _LIBRARIES / "part" / path.relative_to(LIBRARY)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            _compile(_LIBRARIES / "part")
            (_LIBRARIES / "part").rename(folder)
    return folder


@functools.cache
def interpreter() -> str | None:
    """A Python of the functions' version on this machine, if there is one."""
    if sys.version_info[:2] == tuple(map(int, _PYTHON.split("."))):
        return sys.executable
    found = subprocess.run(
        [sys.executable, "-m", "uv", "python", "find", _PYTHON],
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip() if found.returncode == 0 else None


def _compile(layer: Path) -> None:
    """Add compiled files that Python does not compare with their sources, as if the layer were at /opt."""
    python = interpreter()
    if python is None:
        print(f"There is no Python {_PYTHON} here: layers are not compiled, cold starts take longer.", file=sys.stderr)
        return
    options = ["-q", "-j", "0", "--invalidation-mode", "unchecked-hash", "-s", str(layer), "-p", "/opt"]
    # Packages may contain files for other versions, which do not compile.
    subprocess.run([python, "-m", "compileall", *options, str(layer)], check=False)


@contextmanager
def _alone() -> Iterator[None]:
    """A lock against concurrent builds of the layer in this clone."""
    _LAYERS.parent.mkdir(parents=True, exist_ok=True)
    with _LAYERS.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _build_layer(folder: Path) -> None:
    shutil.rmtree(_LAYERS, ignore_errors=True)
    part = _LAYERS / "part"
    part.mkdir(parents=True)
    requirements = _LAYERS / "requirements.txt"
    requirements.write_text(exported_requirements(), encoding="utf-8")
    _uv("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:", *_PLATFORM,
        "--target", str(part / "python"), "--requirements", str(requirements))  # fmt: skip
    _compile(part)
    part.rename(folder)


def exported_requirements(*extras: str) -> str:
    """The locked requirements of the library and of its extras, with hashes."""
    chosen = [option for extra in extras for option in ("--extra", extra)]
    return _uv("export", "--quiet", "--frozen", "--no-default-groups", "--no-emit-project", "--no-header",
               "--no-annotate", *chosen)  # fmt: skip


def image_requirements() -> str:
    """The text of the image's requirements.txt."""
    return _HEADER + exported_requirements("image")


def _uv(*arguments: str) -> str:
    command = [sys.executable, "-m", "uv", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def main(arguments: list[str]) -> int:
    """Write the image's requirements.txt, or with ``--check`` only compare it with the lock file."""
    name = IMAGE_REQUIREMENTS.relative_to(ROOT)
    if arguments not in ([], ["--check"]):
        print("usage: python -m infra.tools.packaging [--check]", file=sys.stderr)
        return 2
    expected = image_requirements()
    if not arguments:
        IMAGE_REQUIREMENTS.write_text(expected, encoding="utf-8")
        print(f"{name} is written.")
    elif not IMAGE_REQUIREMENTS.is_file() or IMAGE_REQUIREMENTS.read_text(encoding="utf-8") != expected:
        print(f"{name} does not match uv.lock. Run: python -m infra.tools.packaging", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
