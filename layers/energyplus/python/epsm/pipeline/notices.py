"""Notifications of a study's end: text with key figures and links."""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from epsm.problems import Problem
from epsm.store import keys
from epsm.store.notifications import Notification
from epsm.text import counted

logger = logging.getLogger(__name__)

_MAX_SUBJECT = 99
_MAX_REASONS = 3
_MAX_PROBLEMS = 20


def for_mail(subject: str) -> str:
    """A text in the form that SNS accepts as a subject."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in subject).strip()
    return plain if len(plain) <= _MAX_SUBJECT else plain[: _MAX_SUBJECT - 3] + "..."


def links(execution_arn: str, results_bucket: str, simulation: str) -> list[str]:
    """Lines with links to a study in the AWS console; none for a study that was never started.

    >>> links("arn:aws:states:eu-west-1:1:execution:epsm-dev-study:a-1", "results", "a-1")[1]
    'Execution:  https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn:aws:states:eu-west-1:1:execution:epsm-dev-study:a-1'
    """
    if not execution_arn:
        return []
    region = execution_arn.split(":")[3]
    console = f"https://{region}.console.aws.amazon.com"
    prefix = quote(keys.run_key(simulation), safe="")
    return [
        f"Files:      {console}/s3/buckets/{results_bucket}?region={region}&prefix={prefix}",
        f"Execution:  {console}/states/home?region={region}#/v2/executions/details/{execution_arn}",
    ]


def reasons(errors: Iterable[str]) -> list[str]:
    """The most frequent reasons for failures, a line each.

    >>> reasons(["no schedule", "timed out", "no schedule"])
    ['  2 x no schedule', '  1 x timed out']
    """
    frequencies = Counter(error.splitlines()[0][:200] for error in errors if error)
    lines = [f"  {number} x {error}" for error, number in frequencies.most_common(_MAX_REASONS)]
    rest = len(frequencies) - len(lines)
    return [*lines, f"  and {counted(rest, 'other reason')}"] if rest else lines


def heading(name: str, simulation: str, status: str) -> list[str]:
    """The first lines of every notification."""
    return [f"Study:      {name}", f"Simulation: {simulation}", f"Status:     {status}"]


def rejection_notification(name: str, simulation: str, place: str, problems: Sequence[Problem]) -> Notification:
    """Notification of a rejected study.

    Args:
        name: Of the study, or of its folder.
        simulation: Its simulation.
        place: Where its study.json is.
        problems: Why.
    """
    lines = [*heading(name, simulation, "rejected"), f"Uploaded:   {place}", ""]
    lines += [f"- {problem}" for problem in problems[:_MAX_PROBLEMS]]
    if len(problems) > _MAX_PROBLEMS:
        lines.append(f"- and {len(problems) - _MAX_PROBLEMS} more, in {keys.run_key(simulation, 'errors.json')}")
    return Notification(for_mail(f"{name}: rejected, {counted(len(problems), 'problem')}"), "\n".join(lines))


def not_started_notification(name: str, simulation: str, reason: str) -> Notification:
    """Notification of a study that was not started because the one it follows did not complete."""
    lines = [*heading(name, simulation, "cancelled"), "", reason]
    return Notification(for_mail(f"{name}: cancelled, not started"), "\n".join(lines))
