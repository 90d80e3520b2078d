"""Packaging: the layer's dependencies, the library, and the build context of the container image.

Nothing here needs Docker. The dependencies are resolved by uv for Lambda's own platform from the project's lock
file, and cached until the lock file changes.
"""

import fcntl
import hashlib
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
_PLATFORM = ("--python-platform", "x86_64-manylinux2014", "--python-version", "3.13")
MAX_UNZIPPED_MB = 250


def dependencies_folder() -> Path:
    """The dependencies layer as a folder, built if the lock file has changed since.

    Raises:
        subprocess.CalledProcessError: If uv cannot resolve or download; it has printed the reason.
    """
    lock = (ROOT / "uv.lock").read_bytes() + " ".join(_PLATFORM).encode()
    folder = _LAYERS / hashlib.sha256(lock).hexdigest()[:16]
    if not folder.is_dir():
        with _alone():
            if not folder.is_dir():
                _build_layer(folder)
    return folder


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
