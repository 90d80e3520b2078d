"""The code of functions on disk: unpacked zips and layers, and the build contexts of container images.

Dependencies are not taken from the deployed code: wheels for Lambda's Python do not load in another version. They come
from the environment of this process, which is pinned by the same lock file.
"""

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from epsm_local.cache import remove_unused

OWN_PACKAGE = "python/epsm/"
"""The part of a layer that is used: the project's own package."""
_UNUSED_DAYS = 90.0
"""Age at which unused code is removed; longer than any stack of another version runs."""


class CodeStore:
    """Unpacks code, once per content hash.

    Args:
        folder: Where unpacked code is stored. Code that no stack has used for a long time is removed from it.
        images: The build context, a zip, by image tag.
    """

    def __init__(self, folder: Path, images: Mapping[str, bytes]) -> None:
        self._folder = folder
        remove_unused(folder, _UNUSED_DAYS)
        self._images = images
        # Called at every invocation; the same content is then the same object, whose hash Python has cached.
        self._zipped: dict[bytes, Path] = {}
        self._layers: dict[bytes, Path | None] = {}

    def zipped(self, content: bytes) -> Path:
        """The folder of a function's zip."""
        if content not in self._zipped:
            self._zipped[content] = self._unpacked(content, "")
        return self._zipped[content]

    def layer(self, content: bytes) -> Path | None:
        """The folder with a layer's copy of the project's own package; None for a layer of dependencies."""
        if content not in self._layers:
            self._layers[content] = self._own_package(content)
        return self._layers[content]

    def image(self, uri: str) -> tuple[Path, ...]:
        """The folders that the image's Dockerfile puts on the Python path.

        Raises:
            LookupError: If the template names an unknown image.
        """
        tag = uri.rsplit(":", 1)[-1]
        if tag not in self._images:
            raise LookupError(f"{uri} is none of the images {sorted(self._images)}")
        context = self.zipped(self._images[tag])
        return context, context / "layers" / "energyplus" / "python"

    def _own_package(self, content: bytes) -> Path | None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if not any(name.startswith(OWN_PACKAGE) for name in archive.namelist()):
                return None
        return self._unpacked(content, OWN_PACKAGE) / "python"

    def _unpacked(self, content: bytes, prefix: str) -> Path:
        target = self._folder / hashlib.sha256(content).hexdigest()[:16]
        if not target.is_dir():
            self._folder.mkdir(parents=True, exist_ok=True)
            part = Path(tempfile.mkdtemp(dir=self._folder, suffix=".part"))
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(part, [name for name in archive.namelist() if name.startswith(prefix)])
            try:
                part.rename(target)
            except OSError:  # another thread, or another stack on this machine, was faster
                shutil.rmtree(part)
        os.utime(target)
        return target
