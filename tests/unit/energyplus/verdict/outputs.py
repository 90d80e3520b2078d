"""Output folders as the engine leaves them."""

from epsm.energyplus.engine import EngineRun

SUCCESS = "EnergyPlus Completed Successfully-- 3 Warning; 0 Severe Errors; Elapsed Time=00hr 00min  0.30sec\n"
WHOLE_YEAR = (
    "Environment,WHOLE YEAR,WeatherFileRunPeriod,01/01/2017,12/31/2017,Sunday,365,Use RunPeriod,No,No,No,Yes,Yes\n"
)
JANUARY = "Environment,JANUARY,WeatherFileRunPeriod,01/01/2017,01/31/2017,Sunday,31,Use RunPeriod,No,No,No,Yes,Yes\n"
WINTER_DAY = "Environment,WINTER DAY,SizingPeriod:DesignDay,01/21,01/21,WinterDesignDay,1,N/A,N/A,N/A,N/A,N/A,N/A\n"
OPENED = "SQLite3 message, out/sqlite.err open for processing!\n"
CALM = "Program Version,EnergyPlus, Version 25.2.0-cf7368216c\n   ** Warning ** Something small.\n"


def ended(exit_code: int = 0, *last_lines: str, timed_out: bool = False, out_of_memory: bool = False) -> EngineRun:
    """How a run looked from outside."""
    return EngineRun(exit_code, timed_out, out_of_memory, False, 12.3, 11.0, 210.4, last_lines)


def severe(*texts: str) -> str:
    return CALM + "".join(f"   ** Severe  ** {text}\n" for text in texts)
