"""The log of requests that were refused."""

import logging

MOST_SAID = 500  # characters of a line


class RefusalFilter(logging.Filter):
    """Leaves one line of a request that was refused: the fault is in the request, so no traceback helps to find it."""

    def filter(self, record: logging.LogRecord) -> bool:
        said = " ".join(record.getMessage().split())[:MOST_SAID]
        if record.name.endswith(".DisallowedHost"):
            said = said.partition(" You may")[0] + " Readers must use the address set in SITE_URL."
        record.msg, record.args, record.exc_info, record.exc_text = said, None, None, None
        return True
