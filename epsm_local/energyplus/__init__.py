"""EnergyPlus on this machine: other versions of the engine, and the system libraries that it needs.

Not part of the library: in the container image, engines are installed by the image's build.
"""
