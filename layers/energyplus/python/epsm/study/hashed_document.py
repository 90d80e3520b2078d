"""A study.json with the hashes of its files, as it is uploaded."""

import json
from collections.abc import Mapping

from epsm.errors import StudyRejected
from epsm.problems import Problem
from epsm.study.parsing import load_document
from epsm.study.schema import MANIFEST_NAME

MAX_STUDY_BYTES = 5_000_000


def with_hashes(document: bytes, hashes: Mapping[str, str]) -> bytes:
    """A study.json with the hashes of its files.

    Args:
        document: A study.json that has been checked.
        hashes: `epsm.checks.study.CheckedStudy.hashes`.

    Raises:
        StudyRejected: If it would be too large.
    """
    written = json.dumps({**load_document(document), "files": dict(hashes)}, indent=1).encode()
    if len(written) > MAX_STUDY_BYTES:
        fault = f"has {len(written):,} bytes with the hashes of its files"
        raise StudyRejected([Problem(MANIFEST_NAME, fault, f"at most {MAX_STUDY_BYTES:,}")])
    return written
