"""`epsm check`, which needs neither AWS nor the local stack and loads neither."""

from pathlib import Path

import typer
from rich.text import Text

from epsm.checks.file_levels import weather_levels
from epsm.checks.study import CheckedStudy
from epsm.client.folder import check_folder
from epsm.errors import StudyRejected
from epsm.estimate import computes_in_words, estimate, in_words
from epsm.model_memory import DEFAULT_MEMORY_MB
from epsm.study.compute import LAMBDA_AT_A_TIME
from epsm.study.schema import MAX_VARIANTS
from epsm.text import counted
from epsm_cli.show import show_problems, show_remarks
from epsm_cli.terminal import console

_MAX_TARGETS = 60
"""Maximum number of targets shown."""


def check(folder: Path, max_variants: int | None, memory_mb: int | None) -> None:
    """Check a study as the stack would."""
    accepted = check_or_exit(folder, max_variants, memory_mb)
    study = accepted.study
    show_remarks(console, accepted.remarks)
    console.print(
        f"{study.name or folder.resolve().name} can run: {counted(study.variant_count, 'variant')} of "
        f"{counted(len(study.models), 'model')}, {counted(len(study.all_weather), 'weather file')} and "
        f"{counted(len(study.parameters), 'parameter')}, with EnergyPlus {accepted.energyplus}"
    )
    for line in weather_levels(study):
        console.print(Text(f"  {line}"))
    for target in accepted.targets[:_MAX_TARGETS]:
        console.print(Text(f"  {target}"))
    if len(accepted.targets) > _MAX_TARGETS:
        console.print(f"  and {len(accepted.targets) - _MAX_TARGETS} more")
    if study.sampling.method != "grid":
        samples = counted(study.sample_count - 1, "sample")
        console.print(f"{study.sampling.method}: {samples} per model and weather file")
    memory = memory_mb or DEFAULT_MEMORY_MB
    expected = estimate(study, accepted.run_times, memory_mb=memory, capacity=LAMBDA_AT_A_TIME)
    console.print(in_words(expected))
    for line in computes_in_words(expected):
        console.print(Text(line))
    options = study.options
    if not options.fits_function:
        console.print(f"timeout_s {options.timeout_s} is only accepted by a stack that was deployed with Fargate")
    if options.in_containers:
        console.print(f"compute {options.compute} is only accepted by a stack that was deployed with Fargate")
    if options.after:
        console.print(f"`after: {options.after}` can only be checked by the stack")


def checked(folder: Path, max_variants: int | None, memory_mb: int | None) -> CheckedStudy:
    """The study in a folder, checked by default with the limits of a stack with default settings.

    Raises:
        StudyRejected: With every fault.
    """
    return check_folder(
        folder,
        MAX_VARIANTS if max_variants is None else max_variants,
        DEFAULT_MEMORY_MB if memory_mb is None else memory_mb,
    )


def check_or_exit(folder: Path, max_variants: int | None, memory_mb: int | None) -> CheckedStudy:
    """As `checked`.

    Raises:
        typer.Exit: If it is rejected; the reasons have been shown.
    """
    try:
        return checked(folder, max_variants, memory_mb)
    except StudyRejected as rejection:
        show_problems(console, rejection.problems)
        raise typer.Exit(2) from None
