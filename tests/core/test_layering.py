"""A module imports only from its own row of the house or rows above it; imports inside functions count."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The longest matching prefix gives a module's row. Facades stand in row 8: they name what rooms define.
ROWS = {
    "core.base": 0,
    "core.backend": 1,
    "core.ops": 2,
    "core.random": 2,
    "core.state": 3,
    "core.transforms": 3,
    "core.graph": 4,
    "core.activations": 5,
    "core.initializers": 5,
    "core.regularizers": 5,
    "core.constraints": 5,
    "core.losses": 5,
    "core.metrics": 5,
    "core.optimizers": 5,
    "core.layers": 5,
    "core.saving": 6,
    "core.training": 7,
    "core.callbacks": 7,
    "core.models": 7,
    "core": 8,
    "hub": 9,
    "tuner": 9,
    "auto": 9,
    "bayes": 9,
}
FRAMEWORKS = {"jax", "torch", "tensorflow"}

# Upward names that are data, not code: a registry looks its facades up by these names when a config asks for them.
ALLOWED = {
    ("core.random", "core.state.seed"),  # SeedGenerator is public as core.random.SeedGenerator, and holds a Variable
    ("core.models", "core.saving"),
}


def row(module: str) -> int:
    """The row of a module's name."""
    while module not in ROWS:
        module = module.rpartition(".")[0]
        if not module:
            return -1
    return ROWS[module]


def modules():
    for package in ("core", "hub", "tuner", "auto", "bayes"):
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(path: pathlib.Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def type_checking_only(path: pathlib.Path) -> set[str]:
    """Names imported under `if TYPE_CHECKING`, which never run."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom):
                    found |= {f"{inner.module}.{alias.name}" for alias in inner.names}
    return found


@pytest.mark.parametrize("name, path", [pytest.param(n, p, id=n) for n, p in modules()])
def test_imports_point_upwards(name, path):
    mine, wrong = row(name), []
    for target in set(imports(path)) - type_checking_only(path):
        if target.partition(".")[0] not in ("core", "hub", "tuner", "auto", "bayes"):
            continue
        if row(target) > mine and not any(name.startswith(a) and target.startswith(b) for a, b in ALLOWED):
            wrong.append(f"{target} (row {row(target)})")
    assert not wrong, f"{name} stands in row {mine} and imports {sorted(wrong)}"


@pytest.mark.parametrize("name, path", [pytest.param(n, p, id=n) for n, p in modules()])
def test_frameworks_are_imported_in_their_folders_only(name, path):
    for target in imports(path):
        framework = target.partition(".")[0]
        if framework in FRAMEWORKS:
            folders = (f"core.backend.{framework}", f"core.interop.{framework}", "core.callbacks", "core.training.data", "core.utils")
            assert name.startswith(folders), f"{name} imports {target}; only {folders} may"
