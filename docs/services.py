"""Writes docs/services.md, the table of all services, from include/services/: uv run python docs/services.py [--check]

With --check it writes nothing, and fails where the page is not what the files say.
"""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from repository import ABOUT, STANDINS  # noqa: E402

PAGE = ROOT / "docs/services.md"
HEAD = """\
# Services

Made by `uv run python docs/services.py` from [include/services](../include/services); do not edit.

Each is one file there. Ports listen on 127.0.0.1; `.env` may change them, and users, passwords (`development`) and versions. Another
version starts with data of its own, in `data/NAME/VERSION`; `NAME_IMAGE` in `.env` takes any image in the place of the usual one.

| answer | what | image | ports | the application finds it by | client | files are | in Google Cloud | run in our CI |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
FOOT = """
## Dump and restore

| service | dump | restore |
| --- | --- | --- |
{dumps}
"files are": yours, where the image runs as you; its own user's, where it cannot: `docker compose run --rm --no-deps --user 0:0 app rm -r
/data/NAME` deletes those without sudo.

"run in our CI": our machines reach no registry, so only images that can be made from Debian packages run there (see
[tests/engine](../tests/engine/README.md)). The files of the others are checked by Compose itself and were written against the images'
public sources. `.github/workflows/services.yml` runs them all where images can be pulled; it has not been run yet.
"""


def row(name: str, about: dict) -> str:
    """Return the line of a service in the table."""
    service = yaml.safe_load((ROOT / f"include/services/{name}.yaml").read_text())["services"][name]
    env = about["env"]
    key = f"{name.upper()}_VERSION"
    image = re.sub(rf"^\$\{{\w+:-(.*?)\$\{{{key}\}}(.*)}}$", rf"\g<1>{env[key]}\2", service["image"])
    ports = ", ".join(str(value) for key, value in env.items() if key.endswith("PORT"))
    names = ", ".join(f"`{key}`" for key in [*about.get("url", {}), *about.get("also", {})])
    keeps = any(str(volume).startswith("../data") for volume in service.get("volumes", []))
    owner = "none" if not keeps else "yours" if "user" in service else "its own user's"
    cells = [
        f"`{name}`",
        "; ".join([about["help"], *(f"or {variant}" for variant in about.get("variants", {}))]),
        f"`{image}`",
        ports,
        names,
        f"`{about['client']}`" if "client" in about else "",
        owner,
        about["google_cloud"],
        "yes" if {name, image.partition(":")[0]} & set(STANDINS) else "no",
    ]
    return f"| {' | '.join(cells)} |\n"


def dump(name: str, about: dict) -> str:
    """Return the line of a service in the table of dumps, or nothing where it has none."""
    if "dump" not in about:
        return ""
    return f"| `{name}` | `./sh -s {name} {about['dump']} >data/{name}/dump.sql` | `./sh -s {name} {about['restore']} <data/{name}/dump.sql` |\n"


def page() -> str:
    """Return the page."""
    rows, dumps = ("".join(line(name, about) for name, about in ABOUT.items()) for line in (row, dump))
    return HEAD + rows + FOOT.format(dumps=dumps)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(
            None
            if PAGE.exists() and PAGE.read_text() == page()
            else "docs/services.md is out of date: uv run python docs/services.py"
        )
    PAGE.write_text(page())
