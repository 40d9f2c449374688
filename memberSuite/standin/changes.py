"""Changes to what is true, made by a test or a demo: people's fields, people who come and go, searches."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from memberSuite.standin.searches import SavedSearch, search_id
from memberSuite.standin.truth import NotThere, matching_rows, the_row, the_search
from memberSuite.standin.world import World


def chosen(
    world: World,
    ids: Iterable[str | int] | None = None,
    count: int | None = None,
    percent: float | None = None,
    search: str | None = None,
) -> list[int]:
    """Return the rows that are meant: those given, or so many of everybody (or of a search's people) by chance."""
    if ids is not None:
        return [the_row(world, wanted) for wanted in ids]
    if search is None:
        pool = world.population.living()
    else:
        query = the_search(world, search).query
        table = world.engine.table(query)
        pool = sorted({table.person(row) for row in matching_rows(world.engine, query)})
    if count is None:
        count = len(pool) if percent is None else round(len(pool) * percent / 100)
    return sorted(world.population.changes.sample(pool, min(count, len(pool))))


def _each(world: World, rows: list[int], act: Callable[[int], None]) -> list[str]:
    with world.engine.lock:
        for row in rows:
            act(row)
        world.tell_changed(rows)
    return [world.population.id_of(row) for row in rows]


def change_some(
    world: World,
    fields: Mapping[str, object],
    ids: Iterable[str | int] | None = None,
    count: int | None = None,
    percent: float | None = None,
    search: str | None = None,
) -> list[str]:
    """Set fields of people and return their IDs; {n} in a text value becomes the person's LocalID number."""
    now = world.now()

    def act(row: int) -> None:
        own = {
            name: value.replace("{n}", str(row + 1)) if isinstance(value, str) else value
            for name, value in fields.items()
        }
        world.population.change(row, own, now)

    for name in fields:
        if name.lower() not in world.population.columns:
            raise NotThere(f"no field {name[:60]}")
    return _each(world, chosen(world, ids, count, percent, search), act)


def flip_some(
    world: World,
    ids: Iterable[str | int] | None = None,
    count: int | None = None,
    percent: float | None = None,
    search: str | None = None,
    to: bool | None = None,
) -> list[str]:
    """Turn Do Not Email round, or set it to `to`."""
    now = world.now()
    flags = world.population.columns["donotemail"]

    def act(row: int) -> None:
        world.population.change(row, {"DoNotEmail": flags.value(row) is False if to is None else to}, now)

    return _each(world, chosen(world, ids, count, percent, search), act)


def delete_some(
    world: World,
    ids: Iterable[str | int] | None = None,
    count: int | None = None,
    percent: float | None = None,
    search: str | None = None,
) -> list[str]:
    return _each(world, chosen(world, ids, count, percent, search), world.population.delete)


def insert_some(world: World, count: int = 1, fields: Mapping[str, object] | None = None) -> list[str]:
    """Bring new people in and return their IDs; unless told otherwise they may be mailed."""
    now = world.now()
    made: list[int] = []
    with world.engine.lock:
        for _ in range(count):
            row = world.population.insert()
            own = {"DoNotEmail": False, **(fields or {})}
            texts = {
                name: value.replace("{n}", str(row + 1)) if isinstance(value, str) else value
                for name, value in own.items()
            }
            world.population.change(row, texts, now)
            made.append(row)
        world.tell_changed(made)
    return [world.population.id_of(row) for row in made]


def set_search(
    world: World,
    wanted: str,
    *,
    name: str | None = None,
    is_public: bool | None = None,
    is_active: bool | None = None,
    deleted: bool | None = None,
) -> SavedSearch:
    """Rename, hide, deactivate, delete or restore a search."""
    search = the_search(world, wanted)
    with world.engine.lock:
        search.name = search.name if name is None else name
        search.is_public = search.is_public if is_public is None else is_public
        search.is_active = search.is_active if is_active is None else is_active
        search.is_deleted = search.is_deleted if deleted is None else deleted
        search.modified_at = world.now()
        world.catalogue.touch()
        world.tell_search_changed(search)
    return search


def make_search(world: World, name: str, like: str, description: str | None = None) -> SavedSearch:
    """Save a new search that asks what another one does."""
    with world.engine.lock:
        number = len(world.catalogue.searches) + 0x40
        search = replace(the_search(world, like), id=search_id(number), name=name, description=description)
        search.is_public, search.is_deleted, search.modified_at = True, False, world.now()
        world.catalogue.add(search)
    return search
