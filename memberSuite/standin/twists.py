"""Faults of the data: queries half ignored, rows and totals that are not right, people who change between pages."""

import random
from dataclasses import replace

from memberSuite.standin.changes import change_some, delete_some, flip_some, insert_some, set_search
from memberSuite.standin.criteria import Criterion, Group, Node, leaves
from memberSuite.standin.errors import RemoteError
from memberSuite.standin.faults import Fault, Firing
from memberSuite.standin.query import Answer, Query
from memberSuite.standin.world import World


def disturb(world: World, firing: Firing) -> None:
    """Change people or searches just before a page is made."""
    for fault in firing:
        people = int(fault.number("people", 1))
        fields = fault.options.get("fields")
        given = {str(k): v for k, v in fields.items()} if isinstance(fields, dict) else {}
        if fault.kind == "inserts":
            insert_some(world, people, given)
        elif fault.kind == "deletes":
            delete_some(world, count=people)
        elif fault.kind == "changes":
            change_some(world, given or {"LastName": f"Changed {fault.fired}"}, count=people)
        elif fault.kind == "flips":
            flip_some(world, count=people)
        elif fault.kind == "vanishes" and fault.search:
            set_search(world, fault.search, deleted=True)
        elif fault.kind == "goes_private" and fault.search:
            set_search(world, fault.search, is_public=False)


def twist_query(firing: Firing, query: Query) -> Query:
    for fault in firing:
        if fault.kind == "ignores_local_id":
            query = replace(query, where=_without(query.where, "localid"))
        elif fault.kind == "ignores_do_not_email":
            query = replace(query, where=_without(query.where, "donotemail"))
        elif fault.kind == "ignores_sort":
            query = replace(query, sort=(("ID", True),))
        elif fault.kind == "refuses_blank_criterion":
            if any(c.field.lower() == "donotemail" and c.operation == "IsBlank" for c in leaves(query.where)):
                raise RemoteError("InvalidQuery", "IsBlank cannot be used on DoNotEmail.", "DoNotEmail")
        elif fault.kind == "refuses_is_active" and any(name.lower() == "isactive" for name in query.fields()):
            raise RemoteError("InvalidQuery", "Unknown field: IsActive.", "IsActive")
    return query


def _without(group: Group, field: str) -> Group:
    """Drop the criteria on a field that stand at the root, where a client puts its own."""

    def is_own(node: Node) -> bool:
        named = {leaf.field.lower() for leaf in leaves(node)}
        return named == {field} and (isinstance(node, Criterion) or node.kind == "Or")

    return Group(group.kind, tuple(node for node in group.criteria if not is_own(node)))


def page_limit(firing: Firing, limit: int) -> int:
    cap = firing.find("page_cap")
    return min(limit, int(cap.number("rows", 50))) if cap else limit


def shuffled(firing: Firing) -> random.Random | None:
    """Return what mixes the whole order anew for this call."""
    fault = firing.find("shifting_order")
    return random.Random(fault.fired) if fault else None


def twist_answer(firing: Firing, answer: Answer) -> Answer:
    positions = {name.lower(): n for n, name in enumerate(answer.names)}
    for fault in firing:
        _twist_rows(fault, answer, positions)
        if fault.kind == "no_do_not_email_column" and "donotemail" in positions:
            keep = [n for n in range(len(answer.names)) if n != positions["donotemail"]]
            names, kinds = [answer.names[n] for n in keep], [answer.kinds[n] for n in keep]
            answer = replace(answer, names=names, kinds=kinds, rows=[[row[n] for n in keep] for row in answer.rows])
            positions = {name.lower(): n for n, name in enumerate(answer.names)}
        elif fault.kind == "wrong_total" and answer.total is not None:
            answer.total = max(0, answer.total + int(fault.number("by", 7)))
        elif fault.kind == "zero_total":
            answer.total = 0
        elif fault.kind == "no_total":
            answer.total = None
    return answer


def _twist_rows(fault: Fault, answer: Answer, positions: dict[str, int]) -> None:
    rows = answer.rows[: int(fault.number("rows", 1))]
    blanked = {"null_local_ids": "localid", "rows_without_id": "id"}.get(fault.kind)
    if blanked in positions:
        for row in rows:
            row[positions[blanked]] = None
    elif fault.kind == "unreadable_do_not_email" and "donotemail" in positions:
        for row in rows:
            row[positions["donotemail"]] = "maybe"
    elif fault.kind == "duplicate_rows":
        answer.rows += [list(row) for row in rows]
    elif fault.kind == "upper_ids" and "id" in positions:
        for row in answer.rows:
            row[positions["id"]] = str(row[positions["id"]]).upper()
