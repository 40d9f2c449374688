"""Search criteria: groups and single criteria as values that can be compared, and what each operation means."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from memberSuite.standin.columns import Kind, Test, Value, coerce
from memberSuite.standin.errors import RemoteError


@dataclass(frozen=True)
class Criterion:
    operation: str
    field: str
    values: tuple[str | None, ...] = ()
    asks_user: bool = False

    @property
    def needs_parameter(self) -> bool:
        return self.asks_user or any(v and len(v) > 4 and v.startswith("##") and v.endswith("##") for v in self.values)


@dataclass(frozen=True)
class Group:
    kind: str = "And"
    criteria: "tuple[Criterion | Group, ...]" = ()


Node = Criterion | Group
EVERYBODY = Group()


def leaves(node: Node) -> Iterator[Criterion]:
    if isinstance(node, Criterion):
        yield node
    else:
        for inner in node.criteria:
            yield from leaves(inner)


def flat_and(group: Group) -> list[Node]:
    """Return what must all hold: And groups inside And groups opened, a group of one replaced by that one."""
    if group.kind != "And":
        return [group] if len(group.criteria) != 1 else _flat(group.criteria[0])
    return [node for inner in group.criteria for node in _flat(inner)]


def _flat(node: Node) -> list[Node]:
    return [node] if isinstance(node, Criterion) else flat_and(node)


def _folded(value: Value) -> Value:
    return value.casefold() if isinstance(value, str) else value


def _text_test(operation: str, wanted: list[str]) -> Callable[[Value], bool] | None:
    """Return what a text operation asks of a value, by the end of its name; None when it is not one."""
    matcher: Callable[[str, str], bool]
    stem = operation.removesuffix("OneOfTheFollowing").removeprefix("DoesNot").removesuffix("s")
    if stem == "Contain":
        matcher = str.__contains__
    elif stem == "StartsWith" or stem == "StartWith":
        matcher = str.startswith
    elif stem == "EndsWith" or stem == "EndWith":
        matcher = str.endswith
    else:
        return None
    negated = operation.startswith("DoesNot")

    def holds(value: Value) -> bool:
        # SQL's rule: a null matches neither the operation nor its opposite.
        return value is not None and any(matcher(str(value).casefold(), w) for w in wanted) is not negated

    return holds


def _like_test(pattern: str) -> Callable[[Value], bool]:

    expression = re.compile(".*".join(re.escape(part) for part in pattern.casefold().split("*")), re.DOTALL)
    return lambda value: value is not None and expression.fullmatch(str(value).casefold()) is not None


def _ordered_test(operation: str, low: Value, high: Value) -> Callable[[Value], bool] | None:
    if operation == "IsGreaterThan":
        return lambda value: value is not None and value > low  # type: ignore[operator]
    if operation == "IsGreaterThanOrEqualTo":
        return lambda value: value is not None and value >= low  # type: ignore[operator]
    if operation == "IsLessThan":
        return lambda value: value is not None and value < low  # type: ignore[operator]
    if operation == "IsLessThanOrEqual":
        return lambda value: value is not None and value <= low  # type: ignore[operator]
    if operation == "IsBetween":
        return lambda value: value is not None and low <= value <= high  # type: ignore[operator]
    if operation == "IsNotBetween":
        return lambda value: value is not None and not low <= value <= high  # type: ignore[operator]
    return None


BLANK_TEST = Test(lambda value: value is None or value == "" or value == (), blankness=True)
FILLED_TEST = Test(lambda value: value is not None and value != "" and value != (), blankness=True)
NEEDS = {"IsBetween": 2, "IsNotBetween": 2}


def make_test(criterion: Criterion, kind: Kind) -> Test:
    """Return the question this criterion asks of a value of this kind; RemoteError when it can't be asked."""
    operation = criterion.operation
    if criterion.needs_parameter:
        raise RemoteError("CannotRunSearch", f"The search asks for a value of {criterion.field}.")
    if operation == "IsBlank":
        return BLANK_TEST
    if operation in ("IsNotBlank", "SpecialOperation"):
        # The stand-in's own meaning of the special operation: the field says something.
        return FILLED_TEST
    given = [value for value in criterion.values if value is not None]
    if len(given) < NEEDS.get(operation, 1):
        raise RemoteError("InvalidQuery", f"{operation} on {criterion.field} needs a value.")
    texts = [value.casefold() for value in given]
    test = _text_test(operation, texts) or (_like_test(texts[0]) if operation == "Like" else None)
    return Test(test or _typed_test(criterion, kind, given))


def _typed_test(criterion: Criterion, kind: Kind, given: list[str]) -> Callable[[Value], bool]:
    try:
        wanted = [_folded(coerce(value, "text" if kind == "ids" else kind)) for value in given]
    except ValueError as error:
        raise RemoteError("InvalidQuery", f"Bad value for {criterion.field}: {error}.", criterion.field) from error
    operation, first = criterion.operation, wanted[0]
    if operation == "Equals":
        return lambda value: _folded(value) == first and value is not None
    if operation == "DoesNotEqual":
        return lambda value: value is not None and _folded(value) != first
    if operation in ("IsOneOfTheFollowing", "IsNotOneOfTheFollowing"):
        among, negated = set(wanted), operation == "IsNotOneOfTheFollowing"
        return lambda value: value is not None and (_folded(value) in among) is not negated
    ordered = _ordered_test(operation, first, wanted[-1])
    if ordered is None:
        raise RemoteError("CannotRunSearch", f"Operation {operation} is not supported here.")
    if kind == "text":
        return lambda value: ordered(_folded(value))
    return ordered
