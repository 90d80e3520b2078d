"""The route for the list of studies, in pages."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from epsm.api.access import Caller
from epsm.api.app import Refusal, identify_caller, stack
from epsm.api.bodies import StudyInList, StudyList, answers
from epsm.store import attributes, keys
from epsm.study.records import StudyStatus

router = APIGatewayHttpRouter()


@router.get(
    "/api/simulation/results/",
    summary="List studies",
    tags=["studies"],
    responses=answers(StudyList),
)
def list_studies(
    status: Annotated[StudyStatus | None, Query(description="Only those in this state.")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
    page: Annotated[str | None, Query(max_length=2000, description="`next` of the previous page.")] = None,
) -> StudyList:
    """Your own studies, newest first; for administrators, all studies."""
    caller = identify_caller()
    found = stack().records.study_page(owner=caller.only, status=status, limit=limit, start=_page_start(page, caller))
    listed = [
        StudyInList(
            simulation_id=study.simulation_id,
            name=study.name,
            status=study.status,
            variants=study.variants,
            succeeded=study.succeeded if study.status.final else None,
            failed=study.failed if study.status.final else None,
            created_at=study.created_at,
            ended_at=study.ended_at,
        )
        for study in found.studies
        if not study.removing
    ]
    following = found.next_page
    return StudyList(
        results=listed,
        next=None if following is None else urlsafe_b64encode(json.dumps(following).encode()).decode(),
    )


def _page_start(page: str | None, caller: Caller) -> dict[str, str] | None:
    """The key in a page token: the position in a list, never the list's owner."""
    if page is None:
        return None
    try:
        start = json.loads(urlsafe_b64decode(page.encode()))
        plain = {str(name): str(value) for name, value in start.items()}
        sizes = [len(value.encode()) for value in plain.values()]
    except (ValueError, AttributeError, RecursionError):
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "Invalid 'page' token") from None
    attribute, name = attributes.OWNER, caller.name
    if caller.administrator:
        attribute, name = attributes.RECORD_TYPE, keys.STUDY_SORT_KEY
    in_this_list = (
        plain.keys() == {keys.PARTITION_KEY, keys.SORT_KEY, attributes.CREATED_AT, attribute}
        and plain[attribute] == name
    )
    # DynamoDB accepts no other keys, and its refusal would become a server error.
    if not in_this_list or not all(0 < size <= 1024 for size in sizes):
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "The 'page' token belongs to a different query")
    return plain
