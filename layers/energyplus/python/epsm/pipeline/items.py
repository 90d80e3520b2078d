"""Where a variant runs: in a function, or in a container if it takes longer than a function may."""

from collections.abc import Collection

from epsm.store.records import Records
from epsm.study.manifest import RunManifest
from epsm.study.schema import LONGEST_IN_A_FUNCTION_S

_NEAR = 0.8
"""A variant may take longer than the unchanged model: what came this near to the limit is not tried in a function."""


def models_for_containers(manifest: RunManifest, records: Records) -> Collection[str]:
    """The models of a study whose earlier runs say that a function is not enough.

    A model that has never run is tried in a function: an assumed run time is too rough to choose by. What then takes
    too long there is handed to a container by the state machine.

    Args:
        manifest: The run's manifest.
        records: Where run times are noted.
    """
    study = manifest.study
    if study.options.timeout_s <= LONGEST_IN_A_FUNCTION_S:
        return ()
    run_times = {model: records.run_time(manifest.inputs[model].sha256) for model in study.models}
    return {
        model
        for model, seconds in run_times.items()
        if seconds is not None and seconds >= _NEAR * LONGEST_IN_A_FUNCTION_S
    }
