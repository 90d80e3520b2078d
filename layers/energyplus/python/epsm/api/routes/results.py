"""Routes for results: rows of the table, and downloads."""

import json
import mimetypes
import struct
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from epsm.api.app import Refusal, SimulationId, own_study, stack
from epsm.api.bodies import Downloads, ResultRows, answers
from epsm.errors import NotFound
from epsm.results import rows
from epsm.results.comparison import RANK, objectives
from epsm.results.result_files import MANIFEST, PARETO_FILE, RANKS_FILE, RESULT_FILES
from epsm.store import keys
from epsm.store.packs import Pack
from epsm.study.records import StudyRecord, StudyStatus

DOWNLOAD_SECONDS = 900
"""Validity of a presigned download."""

_RANK = struct.Struct("<i")

router = APIGatewayHttpRouter()


@router.get(
    "/api/simulation/<simulation_id>/results/",
    summary="List result rows",
    tags=["results"],
    responses=answers(ResultRows, HTTPStatus.NOT_FOUND),
)
def results(
    simulation_id: SimulationId,
    start: Annotated[int, Query(ge=0, description="Index of the first variant.")] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ResultRows:
    """One row per variant, including failed and missing ones. A missing number is null, never 0."""
    record = own_study(simulation_id)
    try:
        manifest = stack().files.read_manifest(simulation_id)
    except NotFound:
        return ResultRows(simulation_id=simulation_id, status=record.status, variants=0, rows=[], next_start=None)
    variants = manifest.study.variant_count
    found = rows.page(
        manifest,
        stack().records,
        start,
        limit,
        ended=record.status.final,
        stopped=_stopped(record),
    )
    if record.status.final and objectives(manifest.study):
        ranks = _pareto_ranks(simulation_id, start, len(found))
        for row in found:
            row[RANK] = ranks.get(row["variant_index"])
    following = start + len(found)
    return ResultRows(
        simulation_id=simulation_id,
        status=record.status,
        variants=variants,
        rows=found,
        next_start=following if following < variants else None,
    )


def _pareto_ranks(simulation_id: str, start: int, rows: int) -> dict[int, int]:
    """Those of a page, by index; none if the table was not written."""
    files = stack().files
    try:
        content = files.read_range(keys.run_key(simulation_id, RANKS_FILE), _RANK.size * start, _RANK.size * rows)
    except NotFound:
        return _all_pareto_ranks(simulation_id)
    # In a study without any rank, the file is empty.
    ranks = (rank for (rank,) in _RANK.iter_unpack(content))
    return {index: rank for index, rank in enumerate(ranks, start) if rank}


def _all_pareto_ranks(simulation_id: str) -> dict[int, int]:
    """Of a study that an earlier release collected."""
    try:
        with stack().files.open_result(keys.run_key(simulation_id, PARETO_FILE)) as stream:
            ranks: dict[str, int] = json.load(stream)["ranks"]
    except NotFound:
        return {}
    return {int(index): rank for index, rank in ranks.items()}


def _stopped(record: StudyRecord) -> str:
    if record.status is StudyStatus.CANCELLED:
        return rows.CANCELLED
    return rows.GIVEN_UP if record.given_up else ""


@router.get(
    "/api/simulation/<simulation_id>/parallel-results/",
    summary="List result rows (legacy)",
    tags=["compatibility"],
    responses=answers(ResultRows, HTTPStatus.NOT_FOUND),
)
def parallel_results(
    simulation_id: SimulationId,
    start: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> ResultRows:
    """Same as `results/`, on the path of legacy EPSM."""
    return results(simulation_id, start, limit)


@router.get(
    "/api/simulation/<simulation_id>/download/",
    summary="Get download URLs",
    tags=["results"],
    responses=answers(Downloads, HTTPStatus.NOT_FOUND),
)
def download(
    simulation_id: SimulationId,
    name: Annotated[
        str | None,
        Query(
            pattern=r"^(variants/[0-9]{1,7}/|series/)?[A-Za-z0-9_-]+(\.[A-Za-z0-9]+)+$",
            description="One file, e.g. variants/3/series.parquet; without it table, report, sensitivity analysis, "
            "manifest.",
        ),
    ] = None,
) -> Downloads:
    """Presigned URLs, valid for 15 minutes, each for one file."""
    own_study(simulation_id)
    files, present = stack().files, {}
    for result_file in (name,) if name else (*RESULT_FILES, MANIFEST):
        for key in (*_unpacked(simulation_id, result_file), *keys.possible_keys(simulation_id, result_file)):
            if files.size(files.results_bucket, key) is not None:
                present[result_file] = files.presigned_download(key, DOWNLOAD_SECONDS)
                break
    if not present:
        raise Refusal(HTTPStatus.NOT_FOUND, "File not found (results are available once the study has ended)")
    return Downloads(files=present, expires_in_s=DOWNLOAD_SECONDS)


def _unpacked(simulation: str, path: str) -> tuple[str, ...]:
    """Key of a copy of a file of a variant that is in a pack, which is made if there is none; nothing for other
    files."""
    found = keys.variant_file_of(path)
    if found is None or found[1] == keys.SERIES:
        return ()
    files, (index, name) = stack().files, found
    record = stack().records.variant(simulation, index)
    if record is None or not record.pack:
        return ()
    try:
        with files.open_ranged(keys.run_key(simulation, record.pack)) as opened:
            pack = Pack(opened)
            content = pack.read(index, name) if name in pack.names(index) else None
    except NotFound:
        return ()
    if content is None:
        return ()
    key = keys.unpacked_key(simulation, record.pack, index, name)
    # Packs do not change, so neither do copies of their files.
    files.put_once(key, content, mimetypes.guess_type(name)[0] or "application/octet-stream")
    return (key,)
