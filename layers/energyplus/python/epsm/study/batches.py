"""Batches: how many variants of a study one child execution runs.

Guided self-scheduling (Polychronopoulos and Kuck, IEEE Transactions on Computers C-36, 1987): a batch is a fixed
fraction of the variants that are left. The first batches are large, which saves invocations; the last ones are small,
so that all functions end at about the same time.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from epsm.study.compute import DEFAULT_COMPUTE, DEFAULT_FARGATE_VCPUS, Compute, Tasks
from epsm.study.records import functions_for
from epsm.study.schema import MAX_BATCH, MAX_FUNCTION_RUN_S, Options

SMALL_STUDY = 100
"""A study with fewer variants runs each in a child execution of its own, so that the console shows each."""
_SECONDS_A_BATCH = MAX_FUNCTION_RUN_S / 2
"""Of a batch in a function, at most: it still fits if its runs take twice as long as expected."""
_MAX_SECONDS_IN_A_TASK, _MIN_SECONDS_IN_A_TASK = 600.0, 120.0
"""Of a batch in a container, beside the minute that its task takes to start and that is paid for as well."""
_SECONDS_AROUND_THE_ENGINE = 0.3
"""Time for editing, reading and storing one variant in a function that runs others too."""
_MAX_IN_CONTAINER = 75
"""Maximum number of variants of a batch in a container: ECS accepts 8,192 characters of overrides for a task, and one
of them is the batch."""
MB_PER_VCPU = 1769
"""AWS Lambda Developer Guide, "Configure Lambda function memory": one vCPU at 1,769 MB, six at 10,240 MB."""
DEFAULT_TASKS = Tasks.within(DEFAULT_FARGATE_VCPUS)
_FUNCTIONS = 950
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
        engines: Engines that one function or task runs at a time.
        functions: Functions or tasks that run at a time.
        in_functions: Whether a batch in a function may have more than one variant; in a container it always may.
        least_rounds: Minimum number of variants for each engine of a batch, if there is time for them; 2 if each
            function then runs a single batch.
        most_seconds: Expected maximum duration of a batch.
        least_seconds: Expected minimum duration of a batch, if there are variants enough.
        seconds_of: Run time of a model, seconds.
    """

    batched: bool
    option: int | None
    engines: int
    functions: int
    in_functions: bool
    seconds_of: Callable[[str], float]
    least_rounds: int = 1
    most_seconds: float = _SECONDS_A_BATCH
    least_seconds: float = 0.0

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
        seconds = self.seconds_of(model) + _SECONDS_AROUND_THE_ENGINE
        rounds_in_time = int(self.most_seconds / seconds)
        least_rounds = max(self.least_rounds, math.ceil(self.least_seconds / seconds))
        rounds = max(least_rounds, left // (2 * self.functions * self.engines))
        return self.engines * max(1, min(rounds, rounds_in_time, largest // self.engines))


def batching_of(
    options: Options,
    variants: int,
    *,
    memory_mb: float,
    reserved: int,
    seconds_of: Callable[[str], float],
    tasks: Tasks = DEFAULT_TASKS,
) -> Batching:
    """How an attempt of a study is divided into batches.

    Args:
        options: The study's options.
        variants: Number of variants of this attempt.
        memory_mb: Memory of the function that runs variants, MiB.
        reserved: Concurrency reserved for variants; 0 for none.
        seconds_of: Run time of a model, seconds, measured or assumed.
        tasks: Tasks that run the batches of a study in containers.
    """
    if options.in_containers:
        return Batching(
            True,
            options.batch,
            tasks.vcpus,
            children_at_a_time(options.compute, options.max_concurrency, tasks.vcpus, tasks),
            False,
            seconds_of,
            most_seconds=_MAX_SECONDS_IN_A_TASK,
            least_seconds=_MIN_SECONDS_IN_A_TASK,
        )
    engines = engines_at_a_time(options, variants, memory_mb)
    functions = min(reserved or _FUNCTIONS, functions_for(options.max_concurrency, engines))
    at_once = functions * engines
    least_rounds = 2 if engines > 1 and at_once < variants <= 2 * at_once else 1
    batched = _is_batched(options, variants)
    return Batching(batched, options.batch, engines, functions, options.fits_function, seconds_of, least_rounds)


def children_at_a_time(compute: Compute, max_concurrency: int, engines: int, tasks: Tasks) -> int:
    """Child executions that a study may run at a time; the functions of an account are shared in addition.

    Args:
        compute: Where its variants run.
        max_concurrency: Variants that may run at a time.
        engines: Engines of one function or task.
        tasks: Tasks of the stack.
    """
    children = functions_for(max_concurrency, engines)
    return children if compute == DEFAULT_COMPUTE else min(children, tasks.at_a_time)


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
