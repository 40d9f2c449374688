"""Coercion of protocol section 8."""

from __future__ import annotations

import pytest

from memberSuite.coerce import decode_name, to_bool, to_int


@pytest.mark.parametrize("value", [True, 1, "1", "true", "TRUE", " True ", "Yes", "yes"])
def test_these_are_true(value: object) -> None:
    assert to_bool(value) is True


@pytest.mark.parametrize("value", [False, 0, "0", "false", "False", "no", "NO", " false\n"])
def test_these_are_false(value: object) -> None:
    assert to_bool(value) is False


@pytest.mark.parametrize("value", [None, "", "maybe", "n", "y", 2, -1, 0.0, "falsefalse", [], "ｆａｌｓｅ"])
def test_anything_else_is_no_flag(value: object) -> None:
    """R1: what can't be read must never count as No."""
    assert to_bool(value) is None


def test_a_number_of_5000_digits_is_no_flag() -> None:
    assert to_bool(10**5000) is None


def test_numbers_fit_64_bits_or_are_none() -> None:
    assert to_int("9223372036854775807") == 2**63 - 1
    assert to_int("-5") == -5
    assert to_int(" 7 ") == 7
    for value in ("9223372036854775808", "1e3", "1_000", "٣", "", "0x1", "9" * 5000, 10**5000, None, True, 1.0):
        assert to_int(value) is None


@pytest.mark.parametrize(
    ("encoded", "name"),
    [
        ("Membership.Type.Name", "Membership.Type.Name"),
        ("_x0032_nd_x0020_Language__c", "2nd Language__c"),
        ("a_x005F_x0020_b", "a_x0020_b"),
        ("_x005f_x005F_", "_x005F_"),
        ("_x0001F600_", "😀"),
        ("_x00E9_t_x00e9_", "été"),
        ("_xD800_", "_xD800_"),
        ("_xFFFFFFFF_", "_xFFFFFFFF_"),
        ("_x12_", "_x12_"),
        ("plain__c", "plain__c"),
    ],
)
def test_column_names_are_decoded_once_from_left_to_right(encoded: str, name: str) -> None:
    assert decode_name(encoded) == name
