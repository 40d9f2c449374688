import pytest

from memberSuite.standin.columns import Kind, Value, to_moment
from memberSuite.standin.criteria import Criterion, Group, flat_and, make_test
from memberSuite.standin.errors import RemoteError


@pytest.mark.parametrize(
    ("operation", "kind", "values", "value", "expected"),
    [
        ("Equals", "text", ("Ada",), "ADA", True),
        ("Equals", "flag", ("0",), False, True),
        ("Equals", "flag", ("False",), False, True),
        ("Equals", "flag", ("false",), None, False),
        ("DoesNotEqual", "flag", ("false",), True, True),
        ("DoesNotEqual", "flag", ("false",), None, False),
        ("DoesNotEqual", "text", ("Ada",), None, False),
        ("Contains", "text", ("@Lamps",), "jo@lamps.example", True),
        ("DoesNotContain", "text", ("lamps",), None, False),
        ("StartsWith", "text", ("Å",), "åsa", True),
        ("DoesNotStartWith", "text", ("Å",), "Ada", True),
        ("EndsWithOneOfTheFollowing", "text", (".org", ".net"), "jo@example.net", True),
        ("DoesNotEndWithOneOfTheFollowing", "text", (".org", ".net"), "jo@example.net", False),
        ("IsBlank", "text", (), "", True),
        ("IsBlank", "flag", (), False, False),
        ("IsNotBlank", "text", (), "x", True),
        ("IsBetween", "number", ("5", "7"), 7, True),
        ("IsNotBetween", "number", ("5", "7"), None, False),
        ("IsOneOfTheFollowing", "text", ("a", "B"), "b", True),
        ("IsNotOneOfTheFollowing", "text", ("a", "b"), None, False),
        ("IsGreaterThan", "number", ("10",), 9, False),
        ("IsGreaterThanOrEqualTo", "moment", ("2026-01-01",), to_moment("2026-01-01T00:00:00"), True),
        ("IsLessThan", "moment", ("2026-01-01T00:00:00Z",), to_moment("2025-12-31T23:59:59.999"), True),
        ("IsLessThanOrEqual", "text", ("M",), "m", True),
        ("Like", "text", ("mc*n",), "McKern", True),
    ],
)
def test_each_operation_follows_sql(
    operation: str, kind: Kind, values: tuple[str, ...], value: Value, expected: bool
) -> None:
    assert make_test(Criterion(operation, "Field", values), kind).holds(value) is expected


@pytest.mark.parametrize(
    ("criterion", "kind", "code"),
    [
        (Criterion("Equals", "DoNotEmail", ("maybe",)), "flag", "InvalidQuery"),
        (Criterion("IsBetween", "LocalID", ("1",)), "number", "InvalidQuery"),
        (Criterion("WhereClause", "City", ("x",)), "text", "CannotRunSearch"),
        (Criterion("Equals", "City", ("##Town##",)), "text", "CannotRunSearch"),
        (Criterion("Equals", "City", ("x",), asks_user=True), "text", "CannotRunSearch"),
    ],
)
def test_what_cannot_be_asked_is_refused(criterion: Criterion, kind: Kind, code: str) -> None:
    with pytest.raises(RemoteError) as refusal:
        make_test(criterion, kind)
    assert refusal.value.code == code


def test_and_groups_inside_and_groups_are_opened_but_never_or_groups() -> None:
    one, two, three = (Criterion("IsBlank", name) for name in "abc")
    either = Group("Or", (two, three))
    assert flat_and(Group("And", (Group("And", (one, either)), Group("Or", (two,))))) == [one, either, two]
