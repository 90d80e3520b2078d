"""A name in moto that a completion takes hold of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hook:
    """A name in moto that a completion replaces or relies on.

    Attributes:
        completion: Module in epsm_local/moto_patches.
        file: File of moto.
        name: `function`, `Class.method` or `Class.attribute`.
        signature: Its arguments as written; None for what is no function.
    """

    completion: str
    file: str
    name: str
    signature: str | None = None

    def __str__(self) -> str:
        return f"{self.completion}: {self.name}"


PARSER = "stepfunctions/parser/"
MAP = f"{PARSER}asl/component/state/exec/state_map/"
EXECUTE_STATE = f"{PARSER}asl/component/state/exec/execute_state.py"
FROM_CLOUDFORMATION = (
    "cls, resource_name: str, cloudformation_json: {}, account_id: str, region_name: str, **kwargs: Any"
)
