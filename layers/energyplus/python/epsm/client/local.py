"""The local stack as the library knows it: another package declares it.

The library must not import the local stack, which needs moto and much more. A package that offers one declares it as
the entry point ``local`` in the group ``epsm.stacks``; ``epsm[local]`` does.
"""

from typing import TYPE_CHECKING, Protocol, cast

from epsm.errors import NoStack

if TYPE_CHECKING:
    from epsm.client.connection import Connection

LOCAL = "local"
"""What the local stack is called wherever a stack is named."""
NOT_RUNNING = "no local stack is running: start one with 'epsm up', or name one of your AWS account"
_GROUP = "epsm.stacks"


class LocalStacks(Protocol):
    """What the entry point's module offers."""

    def running(self) -> "Connection | None":
        """The local stack that any process of this user keeps running on this machine; None without one."""
        ...

    def start(self) -> "Connection":
        """Start a local stack that ends with this process; the one that this process has started, if it has.

        Raises:
            NoStack: If it does not start.
        """
        ...

    def install_engine(self, model_version: str) -> None:
        """Install the EnergyPlus of a version, e.g. ``23.2``, on this machine, if it is not installed.

        Raises:
            EngineMissing: If it cannot be installed.
        """
        ...


def local_stacks() -> LocalStacks:
    """The package that offers the local stack.

    Raises:
        NoStack: If no installed package does.
    """
    from importlib.metadata import entry_points  # 30 ms, and the command wants the name alone

    for found in entry_points(group=_GROUP, name=LOCAL):
        return cast("LocalStacks", found.load())
    raise NoStack("the local stack is not installed: pip install 'epsm[local]', or name a stack of your AWS account")
