"""The failure of a map that cannot read its items. Completes
moto/stepfunctions/parser/asl/component/state/exec/state_map/ item_reader/item_reader_decl.py, in which this is an error
of the interpreter that Retry and Catch cannot match.
"""

from botocore.exceptions import BotoCoreError, ClientError
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.item_reader_decl import ItemReader
from moto.stepfunctions.parser.asl.eval.environment import Environment

from epsm_local.moto_patches.stepfunctions.map_failures import map_failure

_stock_eval_body = ItemReader._eval_body


def install() -> None:
    ItemReader._eval_body = _eval_body


def _eval_body(self: ItemReader, env: Environment) -> None:
    try:
        _stock_eval_body(self, env)
    except (BotoCoreError, ClientError) as error:
        raise map_failure(env, StatesErrorNameType.StatesItemReaderFailed, str(error)) from error
