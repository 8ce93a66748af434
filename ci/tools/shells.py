"""Takes the shell out of CI files, for shellcheck.

    shells.py DIRECTORY FILE…

Writes each `run` of a GitHub file, each `script`, `before_script` and `after_script` of a GitLab
file, and what bash gets as `args` in a manifest of Kubernetes, to a file of its own in DIRECTORY,
named after where it stands. Expressions of GitHub's are replaced by a word.
"""

import os
import re
import sys

from ruamel.yaml import YAML

GITLAB = ("script", "before_script", "after_script")


def shells(value, place=()):
    """Every text of shell below a value, with where it stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "run" and isinstance(inner, str):
                yield (*place, value.get("name", key)), inner
            elif key in GITLAB:
                lines = inner if isinstance(inner, list) else [inner]
                yield (*place, key), "\n".join(lines)
            elif key == "args" and value.get("command", [])[:1] == ["bash"]:
                yield (*place, key), "\n".join(inner)
            else:
                yield from shells(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from shells(inner, (*place, index))


def main(directory, files):
    for file in files:
        with open(file, encoding="utf-8") as text:
            documents = list(YAML(typ="safe").load_all(text))
        # One document's places are as they stand in it.
        for place, shell in shells(documents[0] if len(documents) == 1 else documents):
            name = "-".join([os.path.basename(file), *map(str, place)])
            path = os.path.join(directory, re.sub(r"[^A-Za-z0-9.]+", "-", name) + ".sh")
            with open(path, "w", encoding="utf-8") as out:
                out.write("#!/bin/bash\n" + re.sub(r"\$\{\{.*?\}\}", "expression", shell) + "\n")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2:])
