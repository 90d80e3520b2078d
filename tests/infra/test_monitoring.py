"""Dashboard and alarms as they are deployed, against the stack's resources and the metrics of its functions."""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from infra.tools.packaging import ROOT
from infra.tools.synthesised import synthesise
from tests.infra.conftest import Template

RUNBOOK = ROOT / "docs" / "runbook"
SECTIONS = ("## Meaning", "## Impact", "## Diagnosis", "## Remediation", "## Resolution")
PAGE = re.compile(r"Runbook: docs/runbook/([a-z-]+\.md)$")

Metric = dict[str, Any]


def alarms(template: Template) -> dict[str, dict[str, Any]]:
    """Properties by alarm name."""
    found = [each["Properties"] for each in template.of_type("AWS::CloudWatch::Alarm").values()]
    return {each["AlarmName"]: each for each in found}


def metrics_of(alarm: dict[str, Any]) -> list[Metric]:
    """The metrics behind an alarm, as it names them or as its expression does."""
    if "MetricName" in alarm:
        return [alarm]
    return [each["MetricStat"]["Metric"] for each in alarm["Metrics"] if "MetricStat" in each]


def dimensions(metric: Metric) -> dict[str, str]:
    return {each["Name"]: json.dumps(each["Value"]) for each in metric.get("Dimensions", [])}


def alarmed(template: Template, metric_name: str) -> list[dict[str, str]]:
    """The dimensions that alarms on a metric have."""
    return [
        dimensions(metric)
        for alarm in alarms(template).values()
        for metric in metrics_of(alarm)
        if metric["MetricName"] == metric_name
    ]


def functions(template: Template) -> list[str]:
    return list(template.of_type("AWS::Lambda::Function"))


def widgets(template: Template) -> list[dict[str, Any]]:
    body = template.only("AWS::CloudWatch::Dashboard")["DashboardBody"]
    text = "".join(part if isinstance(part, str) else json.dumps(part)[1:-1].replace('"', "") for part in parts(body))
    return list(json.loads(text)["widgets"])


def parts(body: Any) -> list[Any]:
    return body["Fn::Join"][1] if isinstance(body, dict) else [body]


def drawn(template: Template) -> list[list[Any]]:
    """The metrics of the dashboard: namespace, name, then dimensions and values in turn."""
    rows = [row for each in widgets(template) for row in each["properties"].get("metrics", [])]
    return [[part for part in row if not isinstance(part, dict)] for row in rows if isinstance(row[0], str)]


def own_metrics(template: Template) -> set[tuple[str, str]]:
    """Service and name of every metric of the stack's own that something looks at."""
    from_dashboard = {(row[3], row[1]) for row in drawn(template) if row[0] == "epsm-local" and row[2] == "service"}
    from_alarms = {
        (json.loads(dimensions(metric)["service"]), metric["MetricName"])
        for alarm in alarms(template).values()
        for metric in metrics_of(alarm)
        if metric["Namespace"] == "epsm-local"
    }
    return from_dashboard | from_alarms


def emitted() -> Iterator[tuple[str, str]]:
    """Service and name of every metric that a function's source adds without a further dimension.

    With one, it is another metric to CloudWatch: nothing shows under the service alone.
    """
    for path in ROOT.glob("functions/*/*.py"):
        if "add_dimension" in path.read_text(encoding="utf-8"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_metric":
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield path.parent.name, part.value


def test_every_queue_but_that_of_canaries_has_an_alarm_on_its_messages(template: Template) -> None:
    watched = json.dumps(alarmed(template, "ApproximateNumberOfMessagesVisible"))
    (without,) = [queue for queue in template.of_type("AWS::SQS::Queue") if queue not in watched]
    # What lies there the alarms on the canary function have told.
    assert "LostCanaries" in without


def test_the_alarm_of_a_queue_stays_while_the_queue_is_silent(template: Template) -> None:
    silence = {each["TreatMissingData"] for name, each in alarms(template).items() if name.endswith("-not-empty")}
    assert silence == {"ignore"}


def test_every_function_has_an_alarm_on_throttles(template: Template) -> None:
    watched = json.dumps(alarmed(template, "Throttles"))
    assert [name for name in functions(template) if name not in watched] == []


def test_every_function_but_that_of_variants_has_an_alarm_on_errors(template: Template) -> None:
    watched = json.dumps(alarmed(template, "Errors"))
    (without,) = [name for name in functions(template) if name not in watched]
    assert "RunVariant" in without


def test_every_api_has_an_alarm_on_its_errors(template: Template) -> None:
    watched = json.dumps(alarmed(template, "5xx"))
    assert [api for api in template.of_type("AWS::ApiGatewayV2::Api") if api not in watched] == []


@pytest.mark.parametrize("metric", ["Errors", "Duration"])
def test_metrics_that_come_when_a_run_has_ended_are_looked_for_when_it_began(template: Template, metric: str) -> None:
    for alarm in alarms(template).values():
        if alarm.get("MetricName") != metric:
            continue
        (name,) = [each for each in functions(template) if each in json.dumps(alarm["Dimensions"])]
        timeout = template.only("AWS::Lambda::Function", name)["Timeout"]
        assert alarm["DatapointsToAlarm"] == 1
        assert alarm["EvaluationPeriods"] * alarm["Period"] >= timeout + 300


def test_a_variant_near_its_time_limit_is_reported_before_it_is_lost(template: Template) -> None:
    timeout_ms = template.only("AWS::Lambda::Function", "RunVariant")["Timeout"] * 1000
    assert timeout_ms / 2 < alarms(template)["epsm-local-run-variant-near-time-limit"]["Threshold"] < timeout_ms


@pytest.mark.parametrize("metric", ["ExecutionsFailed", "ExecutionsTimedOut"])
def test_a_study_that_fails_is_reported_once_and_its_variants_are_not(template: Template, metric: str) -> None:
    (watched,) = alarmed(template, metric)
    assert "variants" not in watched["StateMachineArn"]


def test_throttles_of_the_maps_own_executions_are_watched_too(template: Template) -> None:
    label = template.machine["States"]["Run variants"]["Label"]
    watched = [each["StateMachineArn"] for each in alarmed(template, "ExecutionThrottled")]
    assert len(watched) == 2
    assert any(f"/{label}" in each for each in watched)


@pytest.mark.parametrize("metric", ["ThrottledRequests", "SystemErrors"])
def test_every_operation_that_a_role_may_do_on_the_table_is_watched(template: Template, metric: str) -> None:
    """An alarm takes ten metrics; DynamoDB counts these for each operation of its own."""
    allowed = {
        action
        for each in template.of_type("AWS::IAM::Policy").values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        for action in re.findall(r'"dynamodb:(\w+)"', json.dumps(statement["Action"]))
    }
    assert {json.loads(each["Operation"]) for each in alarmed(template, metric)} >= allowed


@pytest.mark.parametrize("metric", ["ThrottledRequests", "SystemErrors"])
def test_an_alarm_on_the_table_ends_although_dynamodb_is_silent_when_all_is_well(
    template: Template, metric: str
) -> None:
    """CloudWatch leaves alarms on AWS/DynamoDB as they are while data is missing, whatever they ask for."""
    (alarm,) = [
        each for each in alarms(template).values() if metric in json.dumps([m["MetricName"] for m in metrics_of(each)])
    ]
    (expression,) = [each["Expression"] for each in alarm["Metrics"] if "Expression" in each]
    assert expression.count("FILL(") == len(metrics_of(alarm))


def concurrency_told_at(template: Template) -> float:
    (alarm,) = [each for name, each in alarms(template).items() if name.endswith("-account-concurrency")]
    return float(alarm["Threshold"])


def test_concurrency_is_reported_at_80_percent_of_a_new_account() -> None:
    assert concurrency_told_at(Template(synthesise({}))) == 800


def test_concurrency_that_is_set_aside_does_not_bring_the_alarm_nearer(other_template: Template) -> None:
    assert concurrency_told_at(other_template) == 500 + 0.8 * (3000 - 500)


def test_every_alarm_tells_the_topic_for_alarms(template: Template) -> None:
    (topic,) = [name for name in template.of_type("AWS::SNS::Topic") if "Alarms" in name]
    assert {json.dumps(each["AlarmActions"]) for each in alarms(template).values()} == {json.dumps([{"Ref": topic}])}


def test_every_alarm_may_publish(template: Template) -> None:
    """With a policy of its own, a topic takes nothing from CloudWatch unless the policy says so."""
    document = template.only("AWS::SNS::TopicPolicy", "Alarms")["PolicyDocument"]
    (statement,) = [each for each in document["Statement"] if each["Effect"] == "Allow"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert {each["Fn::GetAtt"][0] for each in sources} == set(template.of_type("AWS::CloudWatch::Alarm"))


def test_nobody_publishes_alarms_without_tls(template: Template) -> None:
    document = template.only("AWS::SNS::TopicPolicy", "Alarms")["PolicyDocument"]
    (denied,) = [each for each in document["Statement"] if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_subscribers_of_studies_get_alarms(other_template: Template) -> None:
    subscription = other_template.only("AWS::SNS::Subscription", "Alarms")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "modeller@example.com")


def test_every_alarm_says_what_it_means_in_one_sentence(template: Template) -> None:
    for name, alarm in alarms(template).items():
        meaning = PAGE.sub("", alarm["AlarmDescription"]).strip()
        assert re.fullmatch(r"[A-Z][^.]+\.", meaning), name


def test_every_alarm_has_a_page_in_the_runbook(template: Template) -> None:
    pages = {page_of(alarm) for alarm in alarms(template).values()}
    assert sorted(page for page in pages if not (RUNBOOK / page).is_file()) == []


def test_every_page_of_the_runbook_has_an_alarm(template: Template) -> None:
    pages = {page_of(alarm) for alarm in alarms(template).values()}
    assert {path.name for path in RUNBOOK.glob("*.md")} - pages == {"README.md"}


def test_the_runbooks_table_leads_to_every_page() -> None:
    listed = set(re.findall(r"\]\(([a-z-]+\.md)\)", (RUNBOOK / "README.md").read_text(encoding="utf-8")))
    assert {path.name for path in RUNBOOK.glob("*.md")} - listed == {"README.md"}


@pytest.mark.parametrize("page", sorted(RUNBOOK.glob("[a-z]*.md")), ids=lambda path: str(path.name))
def test_a_page_of_the_runbook_answers_five_questions(page: Any) -> None:
    headings = re.findall(r"(?m)^## .+$", page.read_text(encoding="utf-8"))
    assert tuple(headings) == SECTIONS


def test_nothing_looks_at_a_metric_that_no_handler_emits(template: Template) -> None:
    assert own_metrics(template) - set(emitted()) == set()


def test_the_dashboard_shows_every_alarm(template: Template) -> None:
    (widget,) = [each for each in widgets(template) if each["type"] == "alarm"]
    assert len(widget["properties"]["alarms"]) == len(alarms(template))


def test_the_dashboard_draws_every_metric_that_the_pipeline_emits(template: Template) -> None:
    pipeline = {each for each in emitted() if each[0] in ("submit", "run_variant", "aggregate")}
    assert pipeline - own_metrics(template) == set()


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration", "ConcurrentExecutions"])
def test_the_dashboard_draws_every_function(template: Template, metric: str) -> None:
    rows = json.dumps([row for row in drawn(template) if row[:2] == ["AWS/Lambda", metric]])
    assert [name for name in functions(template) if name not in rows] == []


@pytest.mark.parametrize("metric", ["ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"])
def test_the_dashboard_draws_every_queue(template: Template, metric: str) -> None:
    rows = json.dumps([row for row in drawn(template) if row[1] == metric])
    assert [name for name in template.of_type("AWS::SQS::Queue") if name not in rows] == []


def page_of(alarm: dict[str, Any]) -> str:
    found = PAGE.search(alarm["AlarmDescription"])
    assert found, alarm["AlarmName"]
    return found[1]
