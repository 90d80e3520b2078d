"""Batches: how many variants of a study one child execution runs.

Guided self-scheduling (Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987): a batch is a fixed
fraction of the variants that are left. The first batches are large, which saves invocations; the last ones are small,
so that all functions end at about the same time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from epsm.study.records import functions_for
from epsm.study.schema import MAX_BATCH, Options

SMALL_STUDY = 100
"""A study with fewer variants runs each in a child execution of its own, so that the console shows each."""
_SECONDS_A_BATCH = 60.0
_SECONDS_AROUND_THE_ENGINE = 0.3
"""Time for editing, reading and storing one variant in a function that runs others too."""
_MAX_IN_CONTAINER = 75
"""Maximum number of variants of a batch in a container: ECS accepts 8,192 characters of overrides for a task, and one
of them is the batch."""
MB_PER_VCPU = 1769
"""AWS Lambda Developer Guide, "Configure Lambda function memory": one vCPU at 1,769 MB, six at 10,240 MB."""
_FUNCTIONS = 900
"""Functions expected to run at a time if no concurrency is reserved: most of an account's default limit."""


def engines_of(memory_mb: float) -> int:
    """Number of engines that a function with that much memory runs at a time: one for each vCPU.

    >>> [engines_of(memory_mb) for memory_mb in (512, 1769, 3008, 10_240)]
    [1, 1, 2, 6]
    """
    return max(1, round(memory_mb / MB_PER_VCPU))


@dataclass(frozen=True, slots=True)
class Batching:
    """How the variants of one attempt are divided into batches.

    Attributes:
        batched: Whether items are batches; else each is one variant.
        option: The study's option `batch`.
        engines: Engines that one function runs at a time.
        functions: Functions that run at a time.
        in_functions: Whether a batch in a function may have more than one variant; in a container it always may.
        least_rounds: Minimum number of variants for each engine of a batch, if there is time for them; 2 if each
            function then runs a single batch.
        seconds_of: Run time of a model, seconds.
    """

    batched: bool
    option: int | None
    engines: int
    functions: int
    in_functions: bool
    seconds_of: Callable[[str], float]
    least_rounds: int = 1

    def size(self, left: int, model: str, *, in_container: bool) -> int:
        """Size of the next batch.

        Args:
            left: Number of the study's variants that are in no batch yet.
            model: Model of the next variant.
            in_container: Whether it runs in a container.

        >>> plan, left, sizes = Batching(True, None, 1, 2, True, lambda model: 1.0), 46, []
        >>> while left: sizes.append(plan.size(left, "a.idf", in_container=False)); left -= sizes[-1]
        >>> sizes
        [11, 8, 6, 5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1]
        """
        if not (self.batched and (in_container or self.in_functions)):
            return 1
        largest = _MAX_IN_CONTAINER if in_container else MAX_BATCH
        if self.option is not None:
            return min(self.option, largest)
        rounds_in_time = int(_SECONDS_A_BATCH / (self.seconds_of(model) + _SECONDS_AROUND_THE_ENGINE))
        rounds = max(self.least_rounds, left // (2 * self.functions * self.engines))
        return self.engines * max(1, min(rounds, rounds_in_time, largest // self.engines))


def batching_of(
    options: Options,
    variants: int,
    *,
    memory_mb: float,
    reserved: int,
    seconds_of: Callable[[str], float],
) -> Batching:
    """How an attempt of a study is divided into batches.

    Args:
        options: The study's options.
        variants: Number of variants of this attempt.
        memory_mb: Memory of the function that runs variants, MiB.
        reserved: Concurrency reserved for variants; 0 for none.
        seconds_of: Run time of a model, seconds, measured or assumed.
    """
    engines = engines_at_a_time(options, variants, memory_mb)
    functions = min(reserved or _FUNCTIONS, functions_for(options.max_concurrency, engines))
    at_once = functions * engines
    least_rounds = 2 if engines > 1 and at_once < variants <= 2 * at_once else 1
    batched = _is_batched(options, variants)
    return Batching(batched, options.batch, engines, functions, options.fits_function, seconds_of, least_rounds)


def engines_at_a_time(options: Options, variants: int, memory_mb: float) -> int:
    """Number of engines that one function runs at a time.

    Args:
        options: The study's options.
        variants: Number of variants of an attempt.
        memory_mb: Memory of the function that runs variants, MiB.
    """
    return engines_of(memory_mb) if options.fits_function and _is_batched(options, variants) else 1


def _is_batched(options: Options, variants: int) -> bool:
    if options.batch is not None:
        return options.batch > 1
    return options.fits_function and variants >= SMALL_STUDY
