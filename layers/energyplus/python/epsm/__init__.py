"""EnergyPlus parametric studies: the library behind the AWS functions, the `epsm` command and the tests."""

__version__ = "0.1.0"
