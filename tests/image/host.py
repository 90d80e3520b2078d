"""What this machine must have for the image test, and what it hands on to the build: certificates, package index."""

import configparser
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra.tools.packaging import ROOT

STATE = ROOT / "build" / "image"
"""Everything that the image test leaves behind."""

_PACKAGES = {"buildah": "buildah", "debootstrap": "debootstrap", "unshare": "util-linux"}
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_CA_VARIABLES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
CA_IN_IMAGE = "/etc/ssl/certs/ca-certificates.crt"
PIP_CONF_IN_IMAGE = "/etc/pip.conf"


class CannotRun(Exception):
    """The image test cannot run on this machine, for the reason given."""


def run(*command: str | Path, quiet: bool = False, **more: str) -> str:
    """Run a command and return what it prints; its messages go to the screen unless `quiet`.

    Args:
        command: The command.
        quiet: Show its messages only if it fails.
        more: Environment variables on top of this process's.

    Raises:
        subprocess.CalledProcessError: If it fails.
    """
    done = subprocess.run(
        command,
        env={**os.environ, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        print(done.stdout, done.stderr or "", sep="\n")
        done.check_returncode()
    return done.stdout


def require() -> None:
    """Make sure that this machine can build and start an image; installs what is missing.

    Raises:
        CannotRun: If it cannot.
    """
    if os.geteuid() != 0:
        raise CannotRun("only root may build a root file system and change into it")
    missing = sorted({package for tool, package in _PACKAGES.items() if shutil.which(tool) is None})
    if not _KEYRING.is_file():
        missing.append("debian-archive-keyring")
    if missing:
        _install(missing)
    trial = ["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        raise CannotRun("root may not mount here (the container lacks the capability SYS_ADMIN)")


def _install(packages: Sequence[str]) -> None:
    if shutil.which("apt-get") is None:
        raise CannotRun(f"{', '.join(packages)} are not installed and there is no apt-get to install them")
    print(f"Installing {', '.join(packages)} with apt-get ...", flush=True)
    try:
        run("apt-get", "update", quiet=True)
        run("apt-get", "install", "--yes", "--no-install-recommends", *packages, quiet=True,
            DEBIAN_FRONTEND="noninteractive")  # fmt: skip
    except subprocess.CalledProcessError:
        raise CannotRun(f"apt-get could not install {', '.join(packages)}") from None


def build_volumes() -> list[str]:
    """Read-only mounts that let pip inside the build reach the package index as this machine reaches it.

    The machine may sit behind a proxy that opens TLS with a certificate of its own, or have an index of its own; both
    are its own affair and must not get into the image.
    """
    certificates = next(filter(Path.is_file, _certificate_files()), None)
    if certificates is None:
        raise CannotRun("no file with this machine's CA certificates was found")
    configuration = STATE / "pip.conf"
    settings = {**_pip_settings(), "cert": CA_IN_IMAGE}
    lines = [f"{name} = {value}" for name, value in settings.items()]
    configuration.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    indexes = (settings.get("index-url", "") + " " + settings.get("extra-index-url", "")).split()
    # The packages of an index in a folder stand beside its pages.
    folders = [Path(index.removeprefix("file://")).parent for index in indexes if index.startswith("file:///")]
    folders += [Path(link) for link in settings.get("find-links", "").split() if link.startswith("/")]
    return [
        f"{certificates.resolve()}:{CA_IN_IMAGE}:ro",
        f"{configuration}:{PIP_CONF_IN_IMAGE}:ro",
        *(f"{folder}:{folder}:ro" for folder in folders if folder.is_dir()),
    ]


def _certificate_files() -> Iterator[Path]:
    yield from (Path(os.environ[name]) for name in _CA_VARIABLES if os.environ.get(name))
    known = ssl.get_default_verify_paths()
    yield from (Path(path) for path in (known.cafile, known.openssl_cafile, CA_IN_IMAGE) if path)


def _pip_settings() -> dict[str, str]:
    """How pip is configured here: its files, then PIP_* variables, which win."""
    files = configparser.RawConfigParser()
    home = Path.home()
    files.read([PIP_CONF_IN_IMAGE, home / ".pip/pip.conf", home / ".config/pip/pip.conf",
                os.environ.get("PIP_CONFIG_FILE", os.devnull)])  # fmt: skip
    settings = {name: value for section in ("global", "install") if files.has_section(section)
                for name, value in files.items(section)}  # fmt: skip
    for name, value in os.environ.items():
        if name.startswith("PIP_") and name != "PIP_CONFIG_FILE":
            settings[name.removeprefix("PIP_").lower().replace("_", "-")] = value
    return {name: " ".join(value.split()) for name, value in settings.items() if value.strip()}
