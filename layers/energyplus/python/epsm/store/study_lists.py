"""Lists of studies, the newest first: all of them, those of an owner, those in a state."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from epsm.store import attributes, keys
from epsm.store.items import study_record
from epsm.study.records import StudyPage, StudyRecord, StudyStatus

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

_PAGE = 200


class StudyLists:
    """The lists that the table's indexes give.

    Args:
        table: A boto3 DynamoDB Table resource.
    """

    def __init__(self, table: "Table") -> None:
        self._table = table

    def studies(self, limit: int = 50) -> list[StudyRecord]:
        """The newest studies, newest first, without those being removed."""
        return [study for study in self.study_page(limit=limit).studies if not study.removing]

    def every_study(self) -> Iterator[StudyRecord]:
        """All studies, the newest first, read a page at a time."""
        start = None
        while True:
            page = self.study_page(limit=_PAGE, start=start)
            yield from page.studies
            if page.next_page is None:
                return
            start = page.next_page

    def study_page(
        self,
        *,
        owner: str | None = None,
        status: StudyStatus | None = None,
        limit: int = 50,
        start: dict[str, Any] | None = None,
    ) -> StudyPage:
        """A page of studies, the newest first.

        Args:
            owner: Only this owner's; None for everybody's.
            status: Only those in this state.
            limit: Number of records to read; fewer are returned if `status` excludes some.
            start: The `next_page` of the previous page.
        """
        index, attribute, value = (
            (keys.BY_CREATED_AT, attributes.RECORD_TYPE, keys.STUDY_SORT_KEY)
            if owner is None
            else (keys.BY_OWNER, attributes.OWNER, owner)
        )
        query: dict[str, Any] = {
            "IndexName": index,
            "KeyConditionExpression": "#key = :key",
            "ExpressionAttributeNames": {"#key": attribute},
            "ExpressionAttributeValues": {":key": value},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if status is not None:
            query["FilterExpression"] = "#status = :status"
            query["ExpressionAttributeNames"]["#status"] = attributes.STATUS
            query["ExpressionAttributeValues"][":status"] = status.value
        if start is not None:
            query["ExclusiveStartKey"] = start
        answer = self._table.query(**query)
        return StudyPage(tuple(map(study_record, answer["Items"])), answer.get("LastEvaluatedKey"))
