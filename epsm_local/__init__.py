"""The stack on a laptop: moto for AWS, the synthesised template deployed as it is, functions in worker processes.

moto lacks much of what connects services. `epsm_local.moto_patches` completes it; each module there names the file of
moto that it completes. `epsm_local.aws` adds what runs outside moto: workers, containers, HTTP APIs, schedules, the
journal. `epsm_local.product` has the template and code to deploy, and `epsm_local.energyplus` installs the engine on
this machine. docs/local-stack.md lists the emulated features, the accepted ones, and the differences from AWS.
"""
