import pytest

from memberSuite.standin import StandIn
from memberSuite.standin.criteria import Criterion, Group
from memberSuite.standin.engine import Engine
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.query import Output, Query
from memberSuite.standin.truth import matching_rows
from memberSuite.standin.world import World
from tests.memberSuite.standin.concierge import Caller, criterion, group

COLUMNS = (Output("ID"), Output("LocalID"))
BY_KEY = (("LocalID", False), ("ID", False))


@pytest.fixture(scope="module")
def world() -> World:
    return World(700, 3)


def test_masks_agree_with_people_asked_one_by_one(world: World) -> None:
    for search in world.catalogue.current():
        query = search.query
        if search.needs_parameter or query.top or query.unique or query.aggregates:
            continue
        window = world.engine.window(world.engine.table(query), query)
        assert sorted(window.page(0, 10_000)) == list(matching_rows(world.engine, query)), search.name


def ask(engine: Engine, *criteria: Criterion | Group, start: int = 0, limit: int = 10_000) -> list[object]:
    query = Query("Individual", Group("And", criteria), COLUMNS, BY_KEY)
    return [row[1] for row in engine.run(query, start, limit).rows]


def test_pages_by_key_give_everybody_once_and_then_those_without_a_local_id(world: World) -> None:
    seen: list[object] = []
    while page := ask(world.engine, Criterion("IsGreaterThan", "LocalID", (str(seen[-1] if seen else 0),)), limit=64):
        seen += page
    blank = ask(world.engine, Criterion("IsBlank", "LocalID"))
    assert seen == sorted(set(map(int, map(str, seen))))
    assert blank
    assert (len(seen) + len(blank), set(blank)) == (700, {None})


def test_ranges_of_local_ids_are_half_open_where_asked(world: World) -> None:
    bounds = Criterion("IsGreaterThanOrEqualTo", "LocalID", ("1100",)), Criterion("IsLessThan", "LocalID", ("1200",))
    assert ask(world.engine, *bounds) == ask(world.engine, Criterion("IsBetween", "LocalID", ("1100", "1199")))


def test_a_null_local_id_sorts_first_and_last_the_other_way_round(world: World) -> None:
    query = Query("Individual", Group(), COLUMNS, (("LocalID", True),))
    rows = [row[1] for row in world.engine.run(query, 0, 10_000).rows]
    assert rows[-1] is None
    assert rows == ask(world.engine)[::-1]


def test_look_ups_take_ids_in_either_case_and_miss_unknown_ones(world: World) -> None:
    ids = [world.population.id_of(row) for row in world.population.living()[:3]]
    wanted = Criterion("IsOneOfTheFollowing", "ID", (ids[0].upper(), ids[2], "no-such-id"))
    assert len(ask(world.engine, wanted)) == 2


def test_a_change_is_seen_by_the_next_page_although_the_list_was_kept(standin: StandIn) -> None:
    engine = standin.world.engine
    mailable = Criterion("Equals", "DoNotEmail", ("false",))
    before = len(ask(engine, mailable))
    standin.flip_do_not_email(ids=[standin.mailable(standin.search_id("All individuals"))[0]["id"]], to=True)
    standin.insert(2)
    assert len(ask(engine, mailable)) == before + 1


def test_people_can_be_added_long_after_the_spare_rows_are_used_up(standin: StandIn) -> None:
    standin.insert(400)
    joined = standin.search_id("Registered for a 2026 event")
    assert standin.summary(standin.search_id("All individuals"))["people"] == 700
    assert standin.summary(joined)["rows"] >= standin.summary(joined)["people"] > 0


def test_a_join_gives_a_person_several_rows_in_criteria_look_up_and_flag_pass(reader: Caller) -> None:
    standin = reader.standin
    figures = standin.summary(standin.search_id("Registered for a 2026 event"))
    inner = group("And", criterion("Equals", "EventRegistrations.Event.Year", "2026"))
    blank = criterion("IsBlank", "DoNotEmail")
    unmailable = group("Or", criterion("DoesNotEqual", "DoNotEmail", "false"), blank)
    assert reader.page(inner).total == figures["rows"] > figures["people"]
    assert reader.page(inner, criterion("Equals", "DoNotEmail", "false")).total == figures["mailable_rows"]
    assert reader.page(inner, unmailable).total == figures["rows"] - figures["mailable_rows"]


def test_does_not_equal_alone_misses_people_without_a_flag(reader: Caller) -> None:
    figures = reader.standin.summary(reader.standin.search_id("All individuals"))
    assert figures["blank_do_not_email"] > 0
    assert reader.page(criterion("DoesNotEqual", "DoNotEmail", "false")).total == figures["do_not_email"]


def test_limited_searches_stay_within_their_limit(world: World) -> None:
    by_name = {search.name: search.query for search in world.catalogue.current()}
    newest = world.engine.run(by_name["Fifty newest records"], 40, 200)
    towns = world.engine.run(by_name["Towns we have people in"], 0, 200)
    counts = world.engine.run(by_name["People by town"], 0, 200)
    assert (newest.total, len(newest.rows)) == (50, 10)
    assert towns.total == len({tuple(row) for row in towns.rows})
    assert sum(int(str(row[1])) for row in counts.rows) == 700


def test_organizations_and_unknown_types_and_fields(world: World) -> None:
    assert (world.engine.run(Query("organization", Group(), (Output("Name"),)), 0, 5).total or 0) > 0
    for query in (Query("Dragon"), Query("Individual", Group(), (Output("Wings"),))):
        with pytest.raises(RemoteError, match="InvalidQuery"):
            world.engine.run(query, 0, 5)
