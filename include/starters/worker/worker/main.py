"""Does its share of the work, then ends."""

import os


def share(items: list[str], index: int, count: int) -> list[str]:
    """Return the items that task `index` of `count` tasks takes: every `count`th, so that all are taken once."""
    return items[index::count]


def main() -> None:
    # Set by Cloud Run for each task of a job; elsewhere there is one task
    index = int(os.environ.get("CLOUD_RUN_TASK_INDEX", "0"))
    count = int(os.environ.get("CLOUD_RUN_TASK_COUNT", "1"))
    for item in share(["Hello", "from", "{{ project_name }}"], index, count):
        print(item)


if __name__ == "__main__":
    main()
