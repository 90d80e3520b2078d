"""The stack on a laptop: moto for AWS, the synthesised template deployed as it is, functions in worker processes.

moto leaves gaps at nearly every trigger. `epsm_local.moto_patches` closes them; each module there names the file of
moto that it completes. `epsm_local.aws` stands around moto: workers, containers, HTTP APIs, schedules, the journal.
`epsm_local.product` is what is deployed, and `epsm_local.energyplus` installs the engine on this machine.
docs/local-stack.md says what is emulated, what is accepted, and what this does not prove.
"""
