"""Messages, counts and periods as they are reported."""

from pathlib import Path

from epsm.energyplus.verdict import Environment, Verdict, judge, read_environments, read_error_file
from tests.unit.energyplus.verdict.outputs import JANUARY, SUCCESS, WHOLE_YEAR, WINTER_DAY, ended, severe


# -- what is told ------------------------------------------------------------------------------------------------
def test_the_message_is_the_first_severe_with_its_continuation(output: Path) -> None:
    first = "BuildingSurface:Detailed\n   **   ~~~   ** invalid Construction Name"
    (output / "eplusout.err").write_text(severe(first, "Second.") + "   **  Fatal  ** Stopped.\n")

    assert judge(ended(1), output).message == "BuildingSurface:Detailed invalid Construction Name"


def test_the_messages_are_the_severe_and_the_fatal_ones(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("First.", "Second.") + "   **  Fatal  ** Stopped.\n")

    assert judge(ended(1), output).messages == ("First.", "Second.", "Stopped.")


def test_no_more_messages_are_reported_than_a_reader_can_use(output: Path) -> None:
    (output / "eplusout.err").write_text(severe(*(f"Message {number}." for number in range(1000))))

    assert judge(ended(), output).messages == tuple(f"Message {number}." for number in range(5))


def test_an_endless_message_is_cut(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("x" * 100_000))

    diagnosis = judge(ended(), output)

    assert (diagnosis.message, diagnosis.messages) == (("x" * 497 + "...", ("x" * 497 + "...",)))


def test_the_counts_are_those_of_the_engine(output: Path) -> None:
    (output / "eplusout.err").write_text(severe("Only one is printed, it came 41 times."))
    (output / "eplusout.end").write_text(SUCCESS.replace("0 Severe", "41 Severe"))

    diagnosis = judge(ended(), output)

    assert (diagnosis.warnings, diagnosis.severe_errors) == (3, 41)


def test_without_an_end_the_messages_are_counted(output: Path) -> None:
    (output / "eplusout.end").unlink()
    (output / "eplusout.err").write_text(severe("One.", "Two."))

    diagnosis = judge(ended(-11), output)

    assert (diagnosis.warnings, diagnosis.severe_errors) == (1, 2)


def test_the_periods_are_reported_with_their_days(output: Path) -> None:
    (output / "eplusout.eio").write_text(f"! <Environment>,Environment Name,\n{WINTER_DAY}{JANUARY}")

    assert judge(ended(), output).environments == (
        Environment("WINTER DAY", "SizingPeriod:DesignDay", "01/21", "01/21", 1),
        Environment("JANUARY", "WeatherFileRunPeriod", "01/01/2017", "01/31/2017", 31),
    )


def test_a_list_of_periods_that_is_written_again_counts_once(output: Path) -> None:
    (output / "eplusout.eio").write_text((WINTER_DAY + WHOLE_YEAR) * 3)

    assert judge(ended(), output, "annual").verdict is Verdict.OK


def test_other_lines_of_the_eio_are_no_periods(tmp_path: Path) -> None:
    lines = "Environment:Weather Station,10.000,0.140,270.000,1.500,1.586,9.750E-003\nEnvironment,CUT OFF,Weather"
    (tmp_path / "eplusout.eio").write_text(lines)

    assert read_environments(tmp_path / "eplusout.eio") == ()


def test_an_error_file_is_read_by_level(tmp_path: Path) -> None:
    (tmp_path / "eplusout.err").write_text(
        "Program Version,EnergyPlus\n"
        "   ** Warning ** A\n"
        "   **   ~~~   ** more of A\n"
        "   ** Severe  ** B\n"
        "   **  Fatal  ** C\n"
        "   ...Summary of Errors that led to program termination:\n"
    )

    errors = read_error_file(tmp_path / "eplusout.err")

    assert errors.messages == (("Warning", "A\nmore of A"), ("Severe", "B"), ("Fatal", "C"))


def test_an_error_file_may_be_in_any_encoding(tmp_path: Path) -> None:
    (tmp_path / "eplusout.err").write_bytes("   ** Severe  ** Zone Büro\n".encode("latin-1"))

    assert read_error_file(tmp_path / "eplusout.err").of_level("Severe") == ["Zone B\N{REPLACEMENT CHARACTER}ro"]


def test_of_very_many_messages_the_first_are_kept_and_all_are_counted(output: Path) -> None:
    warning = "   ** Warning ** Zone too warm\n   **   ~~~   ** at noon\n"
    (output / "eplusout.err").write_text(severe() + warning * 5000 + "   ** Severe  ** The last\n" + warning * 4999)

    errors = read_error_file(output / "eplusout.err")

    assert errors.numbers == {"Warning": 10_000, "Severe": 1}
    assert errors.of_level("Severe") == ["The last"]
    assert 0 < len(errors.messages) < 1000


def test_an_error_file_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert read_error_file(tmp_path / "eplusout.err").messages == ()


def test_every_message_has_its_own_continuation_of_some_lines(output: Path) -> None:
    def message(name: str, lines: int) -> str:
        return "\n   **   ~~~   ** ".join([name, *(f"{name}{number}" for number in range(lines))])

    (output / "eplusout.err").write_text(severe(message("A", 20), message("B", 2)))

    first, second = read_error_file(output / "eplusout.err").of_level("Severe")
    assert first.splitlines() == ["A", "A0", "A1", "A2", "A3", "A4", "A5", "A6"]
    assert second.splitlines() == ["B", "B0", "B1"]
