"""The `epsm` command: its arguments and options. The commands themselves are in `epsm_cli.commands`.

Slow imports are deferred until a command is run, so that help, version and the shell's completion are fast.
"""

from pathlib import Path
from typing import Annotated

import typer

from epsm import __version__
from epsm.client.local import LOCAL
from epsm.study.compute import Compute
from epsm_cli.check_aside import checking

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # importing the boxed help takes 0.3 s of CPU
)

StackOption = Annotated[
    str,
    typer.Option("--stack", envvar="EPSM_STACK", help="Name of a stack in your AWS account, or 'local'."),
]
StudyFolder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="Folder with study.json, models and weather.")
]
MaxVariants = Annotated[
    int | None, typer.Option(help="Maximum number of variants, if the stack was deployed with another max_variants.")
]
MemoryMb = Annotated[
    int | None, typer.Option(help="Memory of the stack's functions in MB, if it was deployed with another memory_mb.")
]
Cache = Annotated[
    bool, typer.Option("--cache/--no-cache", help="Reuse results of identical earlier runs, or run all variants.")
]
ComputeOption = Annotated[
    Compute | None, typer.Option("--compute", help="Where variants run, instead of what study.json says.")
]
ResultsFolder = Annotated[Path, typer.Option("--to", help="Output folder for results.")]


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"epsm {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """EnergyPlus parametric studies, on AWS or on this machine."""


@app.command()
def run(
    folder: StudyFolder,
    stack: StackOption = LOCAL,
    to: ResultsFolder = Path("results"),
    variant_files: Annotated[
        bool | None,
        typer.Option(help="Also download per-variant files. Default: yes from a local stack, no from AWS."),
    ] = None,
    max_variants: MaxVariants = None,
    memory_mb: MemoryMb = None,
    cache: Cache = True,
    compute: ComputeOption = None,
) -> None:
    """Run a study to its end and download the results.

    With 'local', a running local stack is used; if there is none, one is started for this study.
    """
    with checking(folder, max_variants, memory_mb) as accepted:
        from epsm_cli import commands

        commands.run(accepted, folder, stack, to, variant_files, cache=cache, compute=compute)


@app.command()
def check(folder: StudyFolder, max_variants: MaxVariants = None, memory_mb: MemoryMb = None) -> None:
    """Check a study as the stack would, without uploading anything."""
    from epsm_cli.check import check

    check(folder, max_variants, memory_mb)


@app.command()
def submit(
    folder: StudyFolder,
    stack: StackOption = LOCAL,
    max_variants: MaxVariants = None,
    memory_mb: MemoryMb = None,
    cache: Cache = True,
    compute: ComputeOption = None,
) -> None:
    """Upload a study, print the simulation's name and exit."""
    with checking(folder, max_variants, memory_mb) as accepted:
        from epsm_cli import commands

        commands.submit(accepted, folder, stack, cache=cache, compute=compute)


@app.command()
def status(
    simulation: Annotated[
        str | None, typer.Argument(help="Simulation name or unique prefix; without it, studies are listed.")
    ] = None,
    stack: StackOption = LOCAL,
    watch: Annotated[bool, typer.Option("--watch", help="Follow the study until it has ended.")] = False,
) -> None:
    """Show the status of a study, or list the newest studies."""
    from epsm_cli import commands

    commands.status(simulation, stack, watch=watch)


@app.command()
def results(
    simulation: Annotated[str, typer.Argument(help="Simulation name or unique prefix.")],
    stack: StackOption = LOCAL,
    to: ResultsFolder = Path("results"),
    variant_files: Annotated[bool, typer.Option(help="Also download per-variant files.")] = False,
) -> None:
    """Download the results of a study that has ended, and show them."""
    from epsm_cli import commands

    commands.results(simulation, stack, to, variant_files=variant_files)


@app.command()
def cancel(
    simulation: Annotated[str, typer.Argument(help="Simulation name or unique prefix.")],
    stack: StackOption = LOCAL,
) -> None:
    """Cancel a study. Running engines are stopped, and results so far are kept."""
    from epsm_cli import commands

    commands.cancel(simulation, stack)


@app.command()
def rerun(
    simulation: Annotated[str, typer.Argument(help="Simulation name or unique prefix.")],
    stack: StackOption = LOCAL,
) -> None:
    """Rerun the failed variants of a study that has ended. Results of the others are kept."""
    from epsm_cli import commands

    commands.rerun(simulation, stack)


@app.command()
def engine(version: Annotated[str, typer.Argument(help="Major and minor version, e.g. 25.1.")]) -> None:
    """Download another version of EnergyPlus. Studies with models of that version can then run on this machine."""
    from epsm_cli import commands

    commands.engine(version)


@app.command()
def up(
    port: Annotated[int, typer.Option(help="Port of the local AWS on 127.0.0.1.")] = 5005,
    api_port: Annotated[int, typer.Option(help="Port of the HTTP API on 127.0.0.1.")] = 8000,
    engines: Annotated[int | None, typer.Option(help="Engines at a time; default: one per core.")] = None,
    to: ResultsFolder = Path("results"),
    data: Annotated[Path | None, typer.Option(help="Data folder of the stack, kept between starts.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard studies kept from earlier runs.")] = False,
) -> None:
    """Keep the local stack running until Ctrl-C. Results of ended studies are copied to the output folder."""
    from epsm_cli import commands

    commands.up(port, api_port, engines, to, data, fresh=fresh)


def main() -> None:
    """Entry point of an installation from before `epsm_cli.entry`."""
    from epsm_cli import entry

    entry.main()


if __name__ == "__main__":
    main()
