"""The CDK app. `cdk synth` and `cdk deploy` run this; so does `make synth`, which needs no CDK command line."""

import os
import sys

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from infra.config import Config, ConfigError
from infra.stack import EpsmStack


def build(outdir: str | None = None, context: dict[str, str] | None = None) -> App:
    """The app with its one stack, checked by cdk-nag's AwsSolutions rules when it is synthesised."""
    app = App(outdir=outdir, context=context)
    EpsmStack(app, Config.from_context(app.node))
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


if __name__ == "__main__":
    try:
        app = build(os.environ.get("CDK_OUTDIR"))
    except ConfigError as error:
        sys.exit(str(error))
    app.synth()
