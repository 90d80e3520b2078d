"""EnergyPlus on this machine: further versions of the engine, and the system libraries that it needs.

Not in the library: functions and the container image have their engines from the image's build.
"""
