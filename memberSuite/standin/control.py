"""The control API below /control/: JSON in, JSON out. It sets faults, changes what is true, and tells it."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from memberSuite.standin import changes, truth
from memberSuite.standin.faults import KINDS, OPERATION_NAMES, TAGS, UnknownFault
from memberSuite.standin.web import Request, Response
from memberSuite.standin.world import World

JSON_TYPE, NDJSON_TYPE = "application/json; charset=utf-8", "application/x-ndjson; charset=utf-8"
LIMITS = ("times", "every", "skip", "on_page", "only", "search")
Body = Mapping[str, Any]
Action = Callable[[World, str, Body, Request], object]


class Wrong(ValueError):
    """The request can't be done as it is put."""


def overview(world: World, _key: str, _body: Body, _request: Request) -> object:
    return {
        "people": world.people,
        "seed": world.seed,
        "living": sum(world.population.alive),
        "latency_ms": world.latency_ms,
        "sessions": len(world.sessions.known),
        "faults": [fault.as_dict() for fault in world.faults.all()],
        "log": "/control/log",
        "searches": "/control/searches",
    }


# -- searches -------------------------------------------------------------------------------------------------------


def searches(world: World, _key: str, _body: Body, _request: Request) -> object:
    return [truth.describe(search) for search in world.catalogue.searches.values()]


def search(world: World, key: str, _body: Body, _request: Request) -> object:
    found = truth.the_search(world, key)
    return {**truth.describe(found), "summary": truth.summary(world, found)}


def members(world: World, key: str, _body: Body, request: Request) -> object:
    found = truth.members(world, truth.the_search(world, key))
    if request.query.get("mailable") in ("1", "true"):
        found = (member for member in found if member["do_not_email"] is False)
    return Response(200, content_type=NDJSON_TYPE, stream=truth.ndjson(found))


def change_search(world: World, key: str, body: Body, _request: Request) -> object:
    wanted = {name: body[name] for name in ("name", "is_public", "is_active", "deleted") if name in body}
    return truth.describe(changes.set_search(world, key, **wanted))


def delete_search(world: World, key: str, _body: Body, _request: Request) -> object:
    return truth.describe(changes.set_search(world, key, deleted=True))


def make_search(world: World, _key: str, body: Body, _request: Request) -> object:
    if not body.get("name") or not body.get("like"):
        raise Wrong("name and like are needed")
    return truth.describe(changes.make_search(world, str(body["name"]), str(body["like"]), body.get("description")))


# -- people ---------------------------------------------------------------------------------------------------------


def _who(body: Body) -> dict[str, Any]:
    who = {name: body[name] for name in ("ids", "count", "percent", "search") if body.get(name) is not None}
    if not who:
        raise Wrong("say who: ids, count, percent or search")
    return who


def _changed(ids: Iterable[str]) -> object:
    found = list(ids)
    return {"changed": len(found), "ids": found[:1000]}


def person(world: World, key: str, _body: Body, _request: Request) -> object:
    row = truth.the_row(world, key)
    return {column.name: column.value(row) for column in world.population.columns.values()}


def change_people(world: World, _key: str, body: Body, _request: Request) -> object:
    if not isinstance(body.get("fields"), dict):
        raise Wrong("fields are needed")
    return _changed(changes.change_some(world, body["fields"], **_who(body)))


def flip_people(world: World, _key: str, body: Body, _request: Request) -> object:
    return _changed(changes.flip_some(world, to=body.get("to"), **_who(body)))


def delete_people(world: World, _key: str, body: Body, _request: Request) -> object:
    return _changed(changes.delete_some(world, **_who(body)))


def insert_people(world: World, _key: str, body: Body, _request: Request) -> object:
    return _changed(changes.insert_some(world, int(body.get("count", 1)), body.get("fields")))


# -- faults ---------------------------------------------------------------------------------------------------------


def faults(world: World, _key: str, _body: Body, _request: Request) -> object:
    return [fault.as_dict() for fault in world.faults.all()]


def fault_kinds(_world: World, _key: str, _body: Body, _request: Request) -> object:
    return {"kinds": KINDS, "operations": OPERATION_NAMES, "tags": TAGS, "limits": LIMITS}


def add_fault(world: World, _key: str, body: Body, _request: Request) -> object:
    limits = {name: body[name] for name in LIMITS if name in body}
    options = {name: value for name, value in body.items() if name not in (*LIMITS, "operation", "with")}
    return world.faults.add(str(body.get("operation", "*")), str(body.get("with", "")), limits, options).as_dict()


def clear_faults(world: World, key: str, _body: Body, _request: Request) -> object:
    world.faults.clear([int(key)] if key else None)
    return {"faults": len(world.faults.all())}


def expire_sessions(world: World, _key: str, _body: Body, _request: Request) -> object:
    world.sessions.forget()
    world.tokens.forget()
    return {"sessions": 0}


# -- log and settings -----------------------------------------------------------------------------------------------


def log(world: World, _key: str, _body: Body, _request: Request) -> object:
    return world.log.as_dict()


def clear_log(world: World, _key: str, _body: Body, _request: Request) -> object:
    world.log.clear()
    return {"total": 0}


def settings(world: World, _key: str, body: Body, _request: Request) -> object:
    world.latency_ms = float(body.get("latency_ms", world.latency_ms))
    return {"latency_ms": world.latency_ms}


def reset(world: World, _key: str, body: Body, _request: Request) -> object:
    world.reset(body.get("people"), body.get("seed"))
    return {"people": world.people, "seed": world.seed}


ROUTES: list[tuple[str, str, Action]] = [
    ("GET", "", overview),
    ("GET", "searches", searches),
    ("POST", "searches", make_search),
    ("GET", "searches/KEY", search),
    ("POST", "searches/KEY", change_search),
    ("DELETE", "searches/KEY", delete_search),
    ("GET", "searches/KEY/members", members),
    ("GET", "people/KEY", person),
    ("POST", "people/change", change_people),
    ("POST", "people/flip", flip_people),
    ("POST", "people/delete", delete_people),
    ("POST", "people/insert", insert_people),
    ("GET", "faults", faults),
    ("POST", "faults", add_fault),
    ("DELETE", "faults", clear_faults),
    ("DELETE", "faults/KEY", clear_faults),
    ("GET", "fault-kinds", fault_kinds),
    ("POST", "sessions/expire", expire_sessions),
    ("GET", "log", log),
    ("DELETE", "log", clear_log),
    ("POST", "settings", settings),
    ("POST", "reset", reset),
]
PATTERNS = [(method, re.compile(path.replace("KEY", "(?P<key>[^/]+)")), action) for method, path, action in ROUTES]


def handle(world: World, request: Request) -> Response:
    """Answer one control request; 404 for no such thing, 400 for a request that makes no sense."""
    path = request.path.removeprefix("/control").strip("/")
    for method, pattern, action in PATTERNS:
        match = pattern.fullmatch(path)
        if match and method == request.method:
            return _answer(world, action, match.groupdict().get("key") or "", request)
    return _json({"error": f"no {request.method} {request.path}"}, 404)


def _answer(world: World, action: Action, key: str, request: Request) -> Response:
    try:
        body = json.loads(request.body or b"{}")
        if not isinstance(body, dict):
            raise Wrong("the body must be a JSON object")
        found = action(world, key, body, request)
    except truth.NotThere as error:
        return _json({"error": str(error)}, 404)
    except (ValueError, TypeError, UnknownFault) as error:
        return _json({"error": str(error)}, 400)
    return found if isinstance(found, Response) else _json(found)


def _json(body: object, status: int = 200) -> Response:
    return Response(status, json.dumps(body, ensure_ascii=False).encode(), JSON_TYPE)
