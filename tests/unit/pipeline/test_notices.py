"""Notifications of a study's end: epsm.pipeline.notices."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from epsm.pipeline.notices import for_mail, links, reasons, rejection_notification
from epsm.problems import Problem
from epsm.store.notifications import Notification, sns_notifier
from tests.unit.fakes import fake


@pytest.mark.parametrize(
    ("subject", "mailed"), [("Büro\n1", "B?ro?1"), (" Office", "Office"), ("x" * 100, "x" * 96 + "...")]
)
def test_a_subject_is_as_sns_takes_it(subject: str, mailed: str) -> None:
    assert for_mail(subject) == mailed


def test_a_study_that_was_never_started_has_no_execution_to_look_at() -> None:
    assert links("", "results", "a-1") == []


def test_the_files_of_a_study_are_found_in_the_console() -> None:
    files, _ = links("arn:aws:states:eu-west-1:1:execution:epsm-dev-study:a-1", "results", "a-1")
    assert files.endswith(
        "https://eu-west-1.console.aws.amazon.com/s3/buckets/results?region=eu-west-1&prefix=runs%2Fa-1%2F"
    )


def test_of_many_reasons_the_most_frequent_are_reported() -> None:
    assert reasons(["a", "b\nmore", "b", "c", "d", ""]) == ["  2 x b", "  1 x a", "  1 x c", "  and 1 other reason"]


def test_a_refusal_tells_every_problem_up_to_a_number() -> None:
    problems = [Problem("study.json", f"fault {number}") for number in range(25)]
    notice = rejection_notification("Office", "a-1", "s3://inputs/office/study.json", problems)
    assert notice.subject == "Office: rejected, 25 problems"
    assert "- study.json: fault 19\n- and 5 more, in runs/a-1/errors.json" in notice.message


class Sns:
    def __init__(self, fault: bool) -> None:
        self._fault = fault
        self.sent: list[dict[str, Any]] = []

    def publish(self, **given: Any) -> None:
        if self._fault:
            raise ClientError({"Error": {"Code": "Throttled"}}, "Publish")
        self.sent.append(given)


def test_a_notice_goes_to_the_topic() -> None:
    sns = Sns(fault=False)
    sns_notifier(fake(sns), "arn:topic")(Notification("Office", "text"))
    assert sns.sent == [{"TopicArn": "arn:topic", "Subject": "Office", "Message": "text"}]


def test_a_notice_that_cannot_be_sent_stops_nothing() -> None:
    sns_notifier(fake(Sns(fault=True)), "arn:topic")(Notification("Office", "text"))
