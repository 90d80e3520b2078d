"""Synthesising the stack: the template that `cdk deploy` would send, cached until one of its dependencies changes."""

import errno
import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from infra.tools.packaging import ROOT
from infra.tools.synth import run_app

_DEPENDS_ON = ("infra", "functions", "layers/energyplus", "cdk.json", "uv.lock")
_KEPT = ROOT / "build" / "synth"
_MAX_KEPT = 8


def synthesise(context: Mapping[str, str] | None = None) -> Path:
    """A cloud assembly (cdk.out) for the given context, from an earlier run if nothing has changed since.

    Raises:
        infra.tools.synth.SynthesisFailed: If the CDK app fails.
        OSError: If the build folder of this clone cannot be written.
    """
    target = _KEPT / _fingerprint(context or {})
    if not (target / "manifest.json").is_file():
        for old in sorted(_KEPT.glob("*"), key=lambda path: path.stat().st_mtime)[: -_MAX_KEPT + 1]:
            shutil.rmtree(old, ignore_errors=True)
        part = target.with_suffix(f".{os.getpid()}.part")  # another process may be synthesising, too
        shutil.rmtree(part, ignore_errors=True)
        _KEPT.mkdir(parents=True, exist_ok=True)
        if not os.access(_KEPT, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(_KEPT))
        run_app(part, context, validate=False, quiet=True)
        try:
            part.rename(target)
        except OSError:  # the other process was faster
            shutil.rmtree(part)
    return target


def _fingerprint(context: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(dict(context), sort_keys=True).encode())
    for name in _DEPENDS_ON:
        path = ROOT / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(ROOT)).encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]
