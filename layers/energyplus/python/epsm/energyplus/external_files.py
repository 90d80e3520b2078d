"""Names of files that a model reads itself (Schedule:File and the like): their paths in a study, and names that are not
allowed.

A run has its external files in its working directory, where EnergyPlus and ExpandObjects also read and write their own
files, with fixed names and without checking for existing files.
"""

import posixpath
import re
import unicodedata
from collections.abc import Iterable

from epsm.study.schema import MANIFEST_NAME

MAX_PART_BYTES = 255
"""NAME_MAX of Linux's file systems; a name may be stored in NFD too, which is longer."""

_RESERVED = re.compile(
    r"""in\..*                          # the edited model, its weather; what ExpandObjects and EPMacro read
    | out\.idf | tmp\.idf | audit\.out  # EPMacro's output, the parametric preprocessor's
    | expanded\.idf | expandedidf\.err  # ExpandObjects' output
    | (basement)?ghtin\.idf | slab\.int # ExpandObjects' output for the ground preprocessors
    | energy\+\..* | energyplus\.ini    # Energy+.ini is obeyed, Energy+.idd read by ExpandObjects
    | eplus(out|tbl|map|mtr|ads|psz|spsz|ssz|zsz|screen|sqlite)([._].*)?  # the engine's output, and eplusADS.inp
    | sqlite\.err | readvars\.audit | test\.mvi | fort\.\d+
    """,
    re.VERBOSE,
)
"""From the strings in EnergyPlus 25.2's libenergyplusapi.so and ExpandObjects, from its CommandLineInterface.cc and its
batch files, which delete some of these. Not eplusshading.csv: it is written to the output folder, and
Schedule:File:Shading may read a file of that name."""


def external_path(name: str, model: str) -> tuple[str, str]:
    """The path in the study of a file that a model names, and the reason if it cannot be used.

    Args:
        name: The name as written in the model.
        model: The model's own path in the study; relative names begin at its folder.
    """
    folder = posixpath.dirname(model)
    path = posixpath.join(folder, name.replace("\\", "/"))
    normal = unicodedata.normalize("NFC", posixpath.normpath(path))
    if normal.startswith(("/", "../")) or normal == ".." or ":" in name:
        return "", "which is outside the study"
    # '..' at the start is allowed; in the middle, the folder before it would have to exist.
    if ".." in posixpath.relpath(path.replace("/../", "/./"), folder or ".").split("/") or "/../" in name.lstrip("./"):
        return "", "with '..' in the middle: write the path without it"
    if posixpath.basename(normal) == MANIFEST_NAME:
        # In the bucket it would start another study.
        return "", f"but {MANIFEST_NAME} is the name of the study's own file"
    if is_reserved(normal, model):
        return "", "a name that EnergyPlus uses for files of its own"
    if any(
        len(unicodedata.normalize("NFD", part).encode(errors="surrogatepass")) > MAX_PART_BYTES
        for part in normal.split("/")
    ):
        return "", f"a name of more than {MAX_PART_BYTES} bytes"
    return normal, ""


def is_reserved(path: str, model: str) -> bool:
    """Whether a file of the study has the path of a file that the engine, ExpandObjects or this project uses.

    >>> is_reserved("models/Energy+.INI", "models/room.idf"), is_reserved("data/energy+.ini", "models/room.idf")
    (True, False)
    """
    beside = posixpath.relpath(path, posixpath.dirname(model) or ".").split("/")[0]
    return _RESERVED.fullmatch(beside.casefold()) is not None


def conflicting_paths(paths: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs in which the first is a file with the path of a folder of the second: possible in a bucket, impossible on a
    disk.

    >>> conflicting_paths(["a.csv", "a.csv/b.csv", "c/d.csv"])
    [('a.csv', 'a.csv/b.csv')]
    """
    known = set(paths)
    return [
        (parent, path)
        for path in sorted(known)
        for parent in ("/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1))
        if parent in known
    ]


EXTERNAL_FILE_FIELDS = {
    "schedule:file": "File Name",
    "schedule:file:shading": "File Name",
    "construction:windowdatafile": "File Name",
    "coil:dx:ashrae205:performance": "Representation File Name",
    "chiller:electric:ashrae205": "Representation File Name",
    "table:independentvariable": "External File Name",
    "table:lookup": "External File Name",
}
"""Classes that read another file, by class name in lower case, and the field that names it."""
