"""Names of objects in the buckets, of items in the table, and of simulations."""

import hashlib
import re
import unicodedata
from datetime import datetime

RUNS = "runs/"
CLEANUP = "cleanup/"
HOMES = "users/"
UPLOADS = "uploads/"
CANARY = "canary/"
VARIANTS, PACKS, UNPACKED = "variants/", "packs/", "unpacked/"
"""Folders of a run: files of variants, packs with files of several, and copies of single files of packs."""
PACK_INDEX = "packs/index.json"
"""Below a run: which pack has which variants, for those who download them all."""
PARTITION_KEY = "pk"
SORT_KEY = "sk"
BY_CREATED_AT = "by_created_at"
BY_OWNER = "by_owner"
STUDY_PARTITION_FORMAT = "SIM#{}"
VARIANT_SORT_PREFIX = "VARIANT#"
BLOCK_SIZE = 400
"""Variants of a partition of the table: about one page of a query. Studies keep the size they were created with."""
STUDY_SORT_KEY = "SIM"
COUNTERS_SORT_KEY = "COUNTERS"
COUNTERS_SUFFIX = "#COUNTERS"
IDEMPOTENCY_PARTITION = "IDEMPOTENCY"
RUN_TIME_SORT_KEY = "RUN_TIME"
ACCOUNT_SORT_KEY = "ACCOUNT"
KEPT_RESULT_SORT_KEY = "RESULT"
SERIES = "series.parquet"
"""The series of a variant, by the name that the API has for them."""
SERIES_FOLDER = "series/"
SERIES_COLUMNS = f"{SERIES_FOLDER}columns.parquet"
"""A table without rows that has the columns of all parts; its name sorts before theirs."""


def simulation_id(bucket: str, key: str, version_id: str) -> str:
    """The name of a simulation, the same for every delivery of the same upload.

    It is also the name of the Step Functions execution (at most 80 characters of A-Z, a-z, 0-9, - and _) and
    readable there: the study's folder, then a hash of bucket, key and object version.

    >>> simulation_id("inputs", "Büro Nord/study.json", "v1")
    'buro-nord-efa9ac5e767306c7'
    """
    digest = hashlib.sha256("\n".join((bucket, key, version_id)).encode()).hexdigest()[:16]
    plain = unicodedata.normalize("NFKD", study_folder(key)).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40].strip("-")
    return f"{slug or 'study'}-{digest}"


def execution_name(simulation: str, attempt: int = 1) -> str:
    """The name of the Step Functions execution that runs a simulation, or reruns its missing variants.

    >>> execution_name("office-efa9ac5e767306c7"), execution_name("office-efa9ac5e767306c7", attempt=2)
    ('office-efa9ac5e767306c7', 'office-efa9ac5e767306c7-2')
    """
    return simulation if attempt == 1 else f"{simulation}-{attempt}"


def study_folder(manifest_key: str) -> str:
    """Name of the folder of a study.json; ``study`` at the top of the bucket."""
    return manifest_key.rpartition("/")[0].rpartition("/")[2] or "study"


def study_prefix(manifest_key: str) -> str:
    """The folder of a study.json with its slash, or an empty text at the top of the bucket."""
    folder, slash, _ = manifest_key.rpartition("/")
    return folder + slash


def execution_arn(state_machine_arn: str, simulation: str, attempt: int = 1) -> str:
    """ARN of the execution that runs a simulation, known before it is started."""
    return f"{state_machine_arn.replace(':stateMachine:', ':execution:')}:{execution_name(simulation, attempt)}"


def home(owner: str) -> str:
    """The folder of the inputs bucket that holds what one caller of the API has uploaded.

    Names of callers are ARNs or token subjects; a hash of them is safe in a key and reveals nothing.
    """
    return f"{HOMES}{_hashed(owner)}/"


def _hashed(owner: str) -> str:
    return hashlib.sha256(owner.encode()).hexdigest()[:24]


def stored_file_key(owner: str, sha256: str) -> str:
    """Key of a file that a caller uploaded, by its content: the same EPW is stored once, until it expires."""
    return f"{UPLOADS}{_hashed(owner)}/{sha256}"


def owned_study_key(owner: str, token: str, folder: str) -> str:
    """Key of the study.json of a study submitted through the API; `token` makes its folder unique."""
    return f"{home(owner)}studies/{token}/{folder}/study.json"


def owned_study_folder(key: str) -> str:
    """The folder of the API-submitted study that an object of the inputs bucket belongs to; empty for other objects.

    >>> owned_study_folder("users/7b1c/studies/ab12/Office/models/room.idf"), owned_study_folder("office/room.idf")
    ('users/7b1c/studies/ab12/Office/', '')
    """
    found = re.match(rf"{HOMES}[^/]+/studies/[^/]+/[^/]+/", key)
    return found[0] if found else ""


def may_be_of_study(study_key: str, key: str) -> bool:
    """Whether an object may be a file of a study, by the keys of both.

    Uploads by callers of the API are private: a study.json outside the caller's own prefix cannot use them.

    >>> home = owned_study_key("somebody", "ab12", "Office")
    >>> may_be_of_study(home, home.replace("study.json", "room.idf")), may_be_of_study("study.json", home)
    (True, False)
    """
    if not key.startswith((HOMES, UPLOADS)):
        return True
    folder = owned_study_folder(study_key)
    return bool(folder) and key.startswith(folder)


def is_stored_file(key: str) -> bool:
    """Whether an object of the inputs bucket is a caller's file kept by its content, which many studies may share.

    >>> is_stored_file(stored_file_key("somebody", "ab12")), is_stored_file("office/uploads/room.idf")
    (True, False)
    """
    return key.startswith(UPLOADS)


def canary_prefix(moment: datetime) -> str:
    """The folder of a canary's study, with its slash.

    >>> canary_prefix(datetime(2026, 5, 1, 17, 0, 9))
    'canary/2026-05-01T17-00-09/'
    """
    return f"{CANARY}{moment:%Y-%m-%dT%H-%M-%S}/"


def is_canary(key: str) -> bool:
    """Whether an object of the inputs bucket is a canary's.

    >>> is_canary("canary/2026-05-01T17-00-09/study.json"), is_canary("office/canary/study.json")
    (True, False)
    """
    return key.startswith(CANARY)


def run_key(simulation: str, name: str = "") -> str:
    """Key of a file of a run: manifest.json, items.json, errors.json, results.csv, ..."""
    return f"{RUNS}{simulation}/{name}"


def variant_key(simulation: str, index: int, name: str = "") -> str:
    """Key of a file of one variant: result.json, in.idf, eplusout.err, ...; series are in a folder of their own.

    >>> variant_key("office-1", 3, "in.idf"), variant_key("office-1", 3, SERIES)
    ('runs/office-1/variants/3/in.idf', 'runs/office-1/series/part-0000003.parquet')
    """
    return run_key(simulation, series_part(index) if name == SERIES else variant_file(index, name))


def series_part(index: int) -> str:
    """Name, in the folder of a run, of the part of the series that a variant has."""
    return f"{SERIES_FOLDER}part-{index:07d}.parquet"


def possible_keys(simulation: str, name: str) -> tuple[str, ...]:
    """Keys of a file of a run that is named as in its folder, the more probable first.

    Series are asked for by their variant; version 0.2.0 stored them there.

    >>> possible_keys("office-1", "variants/3/series.parquet")
    ('runs/office-1/series/part-0000003.parquet', 'runs/office-1/variants/3/series.parquet')
    """
    own = run_key(simulation, name)
    found = re.fullmatch(rf"{VARIANTS}([0-9]+)/{re.escape(SERIES)}", name)
    return (variant_key(simulation, int(found[1]), SERIES), own) if found else (own,)


def variant_file(index: int, name: str) -> str:
    """Path of a file of one variant below its study's folder, in the bucket, in packs and on a user's disk."""
    return f"{VARIANTS}{index}/{name}"


def variant_file_of(path: str) -> tuple[int, str] | None:
    """Variant and name of a file of that path; None for any other path.

    >>> variant_file_of("variants/3/in.idf"), variant_file_of("variants/3/../in.idf")
    ((3, 'in.idf'), None)
    """
    found = re.fullmatch(rf"{VARIANTS}([0-9]{{1,7}})/([A-Za-z0-9_]+(?:\.[A-Za-z0-9]+)+)", path)
    return (int(found[1]), found[2]) if found else None


def pack_name(index: int, token: str) -> str:
    """Name of a pack below its study's folder.

    Args:
        index: Its first variant.
        token: Makes the name unique.

    >>> pack_name(3, "ab12")
    'packs/0000003-ab12.zip'
    """
    return f"{PACKS}{index:07d}-{token}.zip"


def unpacked_key(simulation: str, pack: str, index: int, name: str) -> str:
    """Key of a copy of a file of a pack, which the API makes for a download.

    >>> unpacked_key("office-1", "packs/0000003-ab12.zip", 3, "in.idf")
    'runs/office-1/unpacked/0000003-ab12/3/in.idf'
    """
    return run_key(simulation, f"{UNPACKED}{pack.removeprefix(PACKS).removesuffix('.zip')}/{index}/{name}")


def preflight_key(simulation: str, index: int, name: str) -> str:
    """Key of a file of a trial that failed; `index` is that of the pair's baseline."""
    return run_key(simulation, f"preflight/{index}/{name}")


def study_key(simulation: str) -> dict[str, str]:
    """Key of the item of a study."""
    return {PARTITION_KEY: partition(simulation), SORT_KEY: STUDY_SORT_KEY}


def counters_key(simulation: str) -> dict[str, str]:
    """Key of the item with the counters of a study, in a partition of its own."""
    return {PARTITION_KEY: partition(simulation, COUNTERS_SUFFIX), SORT_KEY: COUNTERS_SORT_KEY}


def variant_item_key(simulation: str, index: int, block_size: int) -> dict[str, str]:
    """Key of the item of a variant; see `block_suffix`."""
    return {PARTITION_KEY: partition(simulation, block_suffix(index, block_size)), SORT_KEY: variant_sort_key(index)}


def partition(simulation: str, suffix: str = "") -> str:
    """The partition of a study's item and of its first block of variants; with a suffix, another one of the study."""
    return STUDY_PARTITION_FORMAT.format(simulation) + suffix


def block_suffix(index: int, block_size: int) -> str:
    """The end of the partition key of a variant's item: a partition takes at most 1,000 writes of 1 KB a second.

    Args:
        index: Which variant.
        block_size: Variants of a partition; 0 if all variants of the study are in one.

    >>> block_suffix(399, 400), block_suffix(400, 400), block_suffix(999_999, 400), block_suffix(400, 0)
    ('', '#1', '#2499', '')
    """
    block = index // block_size if block_size else 0
    return f"#{block}" if block else ""


def run_time_key(owner: str, sha256: str) -> dict[str, str]:
    """Key of the item with the run time of an owner's last runs of a model; it reveals nothing of the owner, and
    nothing to another one."""
    return {PARTITION_KEY: f"MODEL#{_hashed(owner)}#{sha256}", SORT_KEY: RUN_TIME_SORT_KEY}


def owner_partition(owner: str) -> str:
    """Partition of an owner's running studies and spending; the key reveals nothing, as in `home`."""
    return f"OWNER#{_hashed(owner)}"


def kept_result_key(owner: str, content_key: str) -> dict[str, str]:
    """Key of the item that says where an owner's results of a run with that content are."""
    return {PARTITION_KEY: f"KEPT#{_hashed(owner)}#{content_key}", SORT_KEY: KEPT_RESULT_SORT_KEY}


def index_of(sort_key: str) -> int:
    """The index in a variant's sort key.

    >>> index_of(variant_sort_key(17))
    17
    """
    return int(sort_key.removeprefix(VARIANT_SORT_PREFIX))


def variant_sort_key(index: int) -> str:
    """Sort key of a variant's item; its text order is the order of the variants.

    >>> variant_sort_key(17)
    'VARIANT#0000017'
    """
    return f"{VARIANT_SORT_PREFIX}{index:07d}"
