import pytest

from memberSuite.standin import StandIn
from memberSuite.standin.people import DO_NOT_EMAIL_DEFAULT_SINCE, Population

FIELDS = ("id", "localid", "name", "emailaddress", "donotemail", "membership.type.name", "createddate")


def rows(population: Population) -> list[tuple[object, ...]]:
    columns = [population.columns[name] for name in FIELDS]
    return [tuple(column.value(row) for column in columns) for row in population.living()]


def test_the_same_number_and_seed_make_the_same_people() -> None:
    assert rows(Population(500, 7)) == rows(Population(500, 7))
    assert rows(Population(500, 7)) != rows(Population(500, 8))


@pytest.mark.parametrize("people", [10, 11, 300, 5000])
def test_there_are_as_many_people_as_asked_each_with_an_id_that_finds_them(people: int) -> None:
    population = Population(people, 1)
    ids = [population.id_of(row) for row in population.living()]
    assert len(set(ids)) == people
    assert [population.find(one.upper()) for one in ids] == population.living()


def test_most_people_made_since_2018_must_not_be_mailed() -> None:
    population = Population(5000, 1)
    created, flags = population.columns["createddate"], population.columns["donotemail"]
    newer = [flags.value(r) for r in population.living() if int(str(created.value(r))) >= DO_NOT_EMAIL_DEFAULT_SINCE]
    older = [flags.value(r) for r in population.living() if int(str(created.value(r))) < DO_NOT_EMAIL_DEFAULT_SINCE]
    assert 0.6 < newer.count(True) / len(newer) < 0.8
    assert older.count(True) / len(older) < 0.2


def test_every_awkward_kind_of_person_is_there(still: StandIn) -> None:
    people = still.truth(still.search_id("All individuals"))
    addresses = [str(one["email"]) for one in people if one["email"] is not None]
    assert {None, ""} <= {one["email"] for one in people} | {""}
    assert len(set(addresses)) < len(addresses)
    assert any(not address.isascii() for address in addresses)
    assert any(len(address) > 200 for address in addresses)
    assert any("@" not in address for address in addresses)
    assert any(one["local_id"] is None for one in people)
    assert any(one["do_not_email"] is None for one in people)
    assert any(one["first_name"] is None for one in people)


def test_a_deleted_person_is_found_no_more() -> None:
    population = Population(50, 1)
    row = population.living()[4]
    wanted = population.id_of(row)
    population.delete(row)
    assert population.find(wanted) is None
    assert population.find("6faf90e4-0006-c000-0000-0b3c00000000") is None
