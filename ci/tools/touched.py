"""Which scenarios a set of changed files touches.

    touched.py SCENARIOS-DIR TOPLEVEL < changed files, NUL-separated, relative to TOPLEVEL

Prints `NAME<TAB>FILE` for each, in order of name, with the first file by which it is touched. A
scenario is touched by

  - a file in its own directory,
  - a file or a directory that its scenario.toml names, or its base does: scripts of the schema,
    operations and migrations, a migration tool's directory, the directory of a command; a section
    of the base that the scenario replaces names nothing;
  - a file in the directory of its base that no scenario and no base names, because nothing says
    who reads it.

A scenario.toml that cannot be read is touched: a run tells what is wrong with it.
"""

import os
import sys

try:
    import tomllib
except ImportError:
    sys.exit("touched: failed to read TOML: python3 is older than 3.11")

# What a base may give and a scenario replaces as a whole.
BASE_SECTIONS = (
    "schema", "table", "server", "traffic", "operation", "pool", "invariant", "limits",
)


class Scenario:
    def __init__(self, directory, places, base_directory, broken=False):
        self.name = os.path.basename(directory)
        self.directory = directory
        self.places = places
        self.base_directory = base_directory
        self.broken = broken


def read(path):
    with open(path, "rb") as file:
        return tomllib.load(file)


def listed(value):
    """The tables of an array of tables; nothing where a file is not as it should be."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def of_schema(document):
    for schema in listed(document.get("schema")):
        yield from (schema.get(key) for key in ("tables", "indexes"))


def of_operations(document):
    for operation in listed(document.get("operation")):
        yield operation.get("file")


def of_change(change):
    yield change.get("migrations")
    yield change.get("directory")
    for migration in listed(change.get("migration")):
        yield migration.get("file")


def of_states(document):
    for state in listed(document.get("state")):
        yield state.get("file")
        for path in listed(state.get("path")):
            yield from of_change(path)


def named(document, directory):
    """Every place that a document names, as an absolute path."""
    paths = [document.get("base"), *of_schema(document), *of_operations(document)]
    for change in listed(document.get("change")):
        paths.extend(of_change(change))
    paths.extend(of_states(document))
    return [absolute(directory, path) for path in paths if isinstance(path, str)]


def absolute(directory, path):
    return os.path.normpath(os.path.join(directory, path))


def scenario_of(directory):
    try:
        document = read(os.path.join(directory, "scenario.toml"))
        places = named(document, directory)
        base = document.get("base")
        if not isinstance(base, str):
            return Scenario(directory, places, None)
        base = absolute(directory, base)
        given = read(base)
        rest = {key: given[key] for key in given if key in BASE_SECTIONS and key not in document}
        places += named(rest, os.path.dirname(base))
        return Scenario(directory, places, os.path.dirname(base))
    except (OSError, ValueError):
        return Scenario(directory, [], None, broken=True)


def within(path, place):
    """Whether it is the place, or below it."""
    return path == place or path.startswith(place.rstrip("/") + "/")


def touches(path, scenario, all_named):
    if within(path, scenario.directory):
        return True
    if any(within(path, place) for place in scenario.places):
        return True
    base = scenario.base_directory
    if base is None or not within(path, base):
        return False
    return not any(within(path, place) for place in all_named)


def main(scenarios_directory, toplevel):
    root = os.path.realpath(scenarios_directory)
    directories = sorted(entry.path for entry in os.scandir(root) if entry.is_dir())
    is_scenario = [d for d in directories if os.path.isfile(os.path.join(d, "scenario.toml"))]
    scenarios = [scenario_of(directory) for directory in is_scenario]
    all_named = {place for scenario in scenarios for place in scenario.places}
    changed = [name for name in os.fsdecode(sys.stdin.buffer.read()).split("\0") if name]
    toplevel = os.path.realpath(toplevel)
    paths = [(absolute(toplevel, name), name) for name in sorted(changed)]
    for scenario in scenarios:
        if scenario.broken:
            print(f"{scenario.name}\t(its files cannot be read)")
            continue
        found = (name for path, name in paths if touches(path, scenario, all_named))
        first = next(found, None)
        if first is not None:
            print(f"{scenario.name}\t{first}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
