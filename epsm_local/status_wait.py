"""Waiting for a change of a study's status on the local stack: the client's side.

The other side is `epsm_local.moto_patches.status_wait`.
"""

import http.client
import time
from urllib.parse import urlencode, urlsplit

PATH = "/_epsm/wait"
ATTRIBUTE = "status"
MAX_WAIT_S = 60.0
_ANSWERED_WITHIN_S = 5.0


def wait_for_change(endpoint: str, table: str, key: dict[str, str], status: str, seconds: float) -> None:
    """Wait until the status of a study differs from a known one. A stack that does not answer is waited for as long.

    Args:
        endpoint: URL of the local stack.
        table: Table of the records.
        key: Key of the study's item.
        status: The known status; empty if there is no record.
        seconds: Maximum time to wait, seconds; at most `MAX_WAIT_S`.
    """
    latest = time.monotonic() + seconds
    query = urlencode({"table": table, **key, ATTRIBUTE: status, "seconds": seconds})
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=seconds + _ANSWERED_WITHIN_S)
    try:
        connection.request("GET", f"{PATH}?{query}")
        answered = connection.getresponse().status == http.client.NO_CONTENT
    except (OSError, http.client.HTTPException):
        answered = False
    finally:
        connection.close()
    if not answered:
        time.sleep(max(0.0, latest - time.monotonic()))
