"""Imports modules: imports.py MODULE... If that fails, it prints which file to look at.

It imports nothing else unless that fails: the bytecode of each imported module ships.
"""

import importlib
import os
import sys

HERE = os.path.dirname(__file__)


def unshipped(name: str) -> bool:
    """Tell whether unshipped.txt keeps this name at the top of the code out of images."""
    with open(f"{HERE}/unshipped.txt") as file:
        return f"/{name}\n" in file


def explain(error: BaseException, module: str) -> str:
    """Return where in the project an import failed, and what to do about it."""
    import re
    import traceback

    calls = traceback.extract_tb(error.__traceback__)
    own = [call.filename for call in calls if call.filename.startswith("/app/")]
    if isinstance(error, SyntaxError) and error.filename:
        own.append(error.filename)
    where = f"{os.path.relpath(own[-1], '/app')}: " if own else ""
    lines = [
        f"{where}production cannot import {module}: {type(error).__name__}: {error}"
    ]
    if library := re.search(r"(\S+?): cannot open shared object file", str(error)):
        sys.path.append(HERE)
        from libraries import missing

        lines += [
            f"{file} needs {name}." for name, file in missing() if name == library[1]
        ]
        lines.append(
            f"Add the package that has {library[1]} to the run section of build.sh."
        )
    elif isinstance(error, ModuleNotFoundError) and unshipped(str(error.name)):
        lines.append(
            f".drydock/build/unshipped.txt keeps {error.name} out of images. If it is code of this project, rename it."
        )
    elif isinstance(error, ModuleNotFoundError):
        lines.append(
            "Add it to the dependencies. If it is code of this project, add its folder to the answer python_path."
        )
    elif not isinstance(error, SyntaxError):
        lines.append(
            "If only a setting is missing, put a placeholder for it into build.env."
        )
    return "\n".join(lines)


if __name__ == "__main__":
    for module in sys.argv[1:]:
        try:
            importlib.import_module(module)
        except BaseException as error:
            sys.excepthook(type(error), error, error.__traceback__)
            sys.exit(explain(error, module))
