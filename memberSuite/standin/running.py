"""What both protocols do with a query: describe it for the log, run it with the faults that strike it."""

from dataclasses import replace
from functools import partial

from memberSuite.standin import records, twists
from memberSuite.standin.criteria import leaves
from memberSuite.standin.faults import Call, Firing
from memberSuite.standin.query import Answer, Output, Query
from memberSuite.standin.world import World

MOST_ROWS = 1000


def run_query(world: World, firing: Firing, query: Query, start: int, limit: int) -> Answer:
    """Run a query with whatever faults strike it."""
    twists.disturb(world, firing)
    query = twists.twist_query(firing, query)
    answer = world.engine.run(query, start, twists.page_limit(firing, limit), twists.shuffled(firing))
    return twists.twist_answer(firing, answer)


def all_columns(world: World, query: Query) -> Query:
    if [column.name for column in query.columns] != ["*"]:
        return query
    table = world.engine.table(replace(query, columns=()))
    listed = records.PERSON_FIELDS if query.type.lower() == "individual" else table.all_names()
    return replace(query, columns=tuple(Output(table.column(name).name) for name in listed if name != "OptOuts"))


def describe(call: Call, query: Query, limit: int) -> None:
    """Note in the call what faults and the log tell queries apart by."""
    kind = query.type.lower()
    if kind == "savedsearch":
        call.tags.add("list")
        return
    on = partial(_leaves, query)
    if any(operation in ("Equals", "IsOneOfTheFollowing") for operation, _ in on("id")):
        call.tags.add("look_up")
    else:
        call.tags.add("count" if limit == 1 or query.top == 1 else "page")
    if any(operation == "IsBlank" for operation, _ in on("localid")):
        call.tags.add("blank_local_id")
    if any(operation != "Equals" or values[:1] not in (("false",), ("0",)) for operation, values in on("donotemail")):
        call.tags.add("do_not_email")


def _leaves(query: Query, field: str) -> list[tuple[str, tuple[str | None, ...]]]:
    return [(leaf.operation, leaf.values) for leaf in leaves(query.where) if leaf.field.lower() == field]
