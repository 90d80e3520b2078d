"""Starts an EnergyPlus that is a library, like the executable: `python engine_launcher.py LIBRARY ARGUMENT...`.

A separate program that imports nothing of this project: it becomes the engine's process, one per run, so a crash ends a
run and not a worker.
"""

import ctypes
import sys


def main(library: str, *arguments: str) -> int:
    """Run EnergyPlus with the arguments of a command line; return its exit code."""
    engine = ctypes.CDLL(library)
    engine.stateNew.restype = ctypes.c_void_p
    engine.energyplus.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
    line = [b"energyplus", *(argument.encode() for argument in arguments)]
    return int(engine.energyplus(engine.stateNew(), len(line), (ctypes.c_char_p * (len(line) + 1))(*line, None)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
