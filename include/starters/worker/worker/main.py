{% from 'include/asked.jinja' import asked with context %}
"""Does its share of the work, then ends."""

import logging
import os
import signal
import sys
from logging.config import dictConfig

from worker import logs{{ ', services' if asked }}

logger = logging.getLogger(__name__)


def share(items: list[str], index: int, count: int) -> list[str]:
    """Return the items that task `index` of `count` tasks takes: every `count`th, so that all are taken once."""
    return items[index::count]


def stop(*_: object) -> None:
    """End at once, so that Cloud Run tries the task again. Work that was done must not be harmed by that."""
    sys.exit(128 + signal.SIGTERM)


def main() -> None:
    dictConfig(logs.CONFIG)
    # The first process of a container ignores signals that it does not handle
    signal.signal(signal.SIGTERM, stop)
{% if asked %}
    services.check_settings()
{% endif %}
    # Set by Cloud Run for each task of a job; elsewhere there is one task
    index = int(os.environ.get("CLOUD_RUN_TASK_INDEX", "0"))
    count = int(os.environ.get("CLOUD_RUN_TASK_COUNT", "1"))
    for item in share(["Hello", "from", "{{ project_name }}"], index, count):
        logger.info(item)


if __name__ == "__main__":
    main()
