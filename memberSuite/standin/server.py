"""The server: which door a request goes to, and the StandIn that tests run in their own process."""

import argparse
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Self

from memberSuite.standin import changes, control, data, front, rest, soap, truth, wsdl
from memberSuite.standin.faults import Fault
from memberSuite.standin.web import Request, Response, WebServer
from memberSuite.standin.world import World

XML_TYPE, HTML_TYPE = "text/xml; charset=utf-8", "text/html; charset=utf-8"
RECORD = "/record/"


def route(world: World, address: str, request: Request) -> Response:
    """Send a request to the door it belongs to."""
    path = request.path
    if path == "/control" or path.startswith("/control/"):
        return control.handle(world, request)
    if request.method == "POST" and path == "/":
        return soap.handle(world, request)
    if path == "/mex" and request.method == "GET":
        return Response(200, wsdl.document(address).encode(), XML_TYPE)
    if path == "/" and request.method in ("GET", "HEAD"):
        return Response(200, front.page(world, address).encode(), HTML_TYPE)
    if path.startswith(RECORD) and request.method in ("GET", "HEAD"):
        status, page = front.record(world, path.removeprefix(RECORD))
        return Response(status, page.encode(), HTML_TYPE)
    return rest.handle(world, request) or Response(404, b"Not found")


class HeldCalls:
    """Requests that wait for their release."""

    def __init__(self, standin: "StandIn", fault: Fault) -> None:
        self.standin, self.fault = standin, fault

    def wait_until_held(self, timeout: float = 10.0) -> bool:
        """Wait until a request is held and tell whether one is."""
        return self.fault.held.wait(timeout)

    def release(self) -> None:
        self.standin.world.faults.clear([self.fault.id])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class StandIn:
    """A stand-in MemberSuite in this process, on a port of its own; also the verbs that the control API offers."""

    association_id, access_key_id, secret_access_key = data.ASSOCIATION_ID, data.ACCESS_KEY_ID, data.SECRET_ACCESS_KEY
    tenant_id, api_user, api_password = data.TENANT_ID, data.API_USER, data.API_PASSWORD

    def __init__(
        self, people: int = 300, seed: int = 1, *, latency_ms: float = 0.0, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.world = World(people, seed, latency_ms)
        self.server = WebServer((host, port), lambda request: route(self.world, self.url, request))
        self.host, self.port = host, int(self.server.server_address[1])
        self.url = f"http://{host}:{self.port}"
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), name="standin", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        self.world.stopping.set()
        self.world.faults.clear()
        if self._thread is None:
            self.server.server_close()
            return
        self.server.stop()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- faults -------------------------------------------------------------------------------------------------

    def fails(
        self,
        operation: str,
        with_: str,
        *,
        times: int | None = None,
        every: int | None = None,
        skip: int = 0,
        on_page: int | None = None,
        only: str | None = None,
        search: str | None = None,
        **options: object,
    ) -> Fault:
        """Set a fault: without times or every it strikes each call until cleared."""
        limits = {"times": times, "every": every, "skip": skip, "on_page": on_page, "only": only, "search": search}
        return self.world.faults.add(operation, with_, limits, options)

    def holds(self, operation: str, *, on_page: int | None = None, only: str | None = None, skip: int = 0) -> HeldCalls:
        """Hold matching calls until released."""
        return HeldCalls(self, self.fails(operation, "hold", on_page=on_page, only=only, skip=skip))

    hold = holds

    def clear_faults(self) -> None:
        self.world.faults.clear()

    def expire_sessions(self) -> None:
        """Forget every session and token."""
        self.world.sessions.forget()
        self.world.tokens.forget()

    # -- truth --------------------------------------------------------------------------------------------------

    def searches(self) -> list[dict[str, object]]:
        return [truth.describe(search) for search in self.world.catalogue.searches.values()]

    def search_id(self, name: str) -> str:
        """Return the ID of the first search with this name."""
        return next(search.id for search in self.world.catalogue.searches.values() if search.name == name)

    def truth(self, search_id: str) -> list[dict[str, object]]:
        """Return everybody in a search, Do Not Email or not, with the number of rows each has in it."""
        return list(truth.members(self.world, truth.the_search(self.world, search_id)))

    def mailable(self, search_id: str) -> list[dict[str, object]]:
        """Return the people of a search whose Do Not Email is No."""
        return [member for member in self.truth(search_id) if member["do_not_email"] is False]

    def summary(self, search_id: str) -> dict[str, int]:
        return truth.summary(self.world, truth.the_search(self.world, search_id))

    def person(self, wanted: str | int) -> dict[str, object]:
        """Return every field of one person, found by Remote ID or LocalID."""
        row = truth.the_row(self.world, wanted)
        return {column.name: column.value(row) for column in self.world.population.columns.values()}

    # -- changes ------------------------------------------------------------------------------------------------

    def change(
        self,
        fields: Mapping[str, object],
        *,
        ids: Iterable[str | int] | None = None,
        count: int | None = None,
        percent: float | None = None,
        search: str | None = None,
    ) -> list[str]:
        """Set fields of the people given, or of so many by chance, and return their IDs."""
        return changes.change_some(self.world, fields, ids, count, percent, search)

    def flip_do_not_email(
        self,
        *,
        ids: Iterable[str | int] | None = None,
        count: int | None = None,
        percent: float | None = None,
        search: str | None = None,
        to: bool | None = None,
    ) -> list[str]:
        return changes.flip_some(self.world, ids, count, percent, search, to)

    def set_address(self, wanted: str | int, address: str | None) -> None:
        changes.change_some(self.world, {"EmailAddress": address}, [wanted])

    def delete(
        self,
        *,
        ids: Iterable[str | int] | None = None,
        count: int | None = None,
        percent: float | None = None,
        search: str | None = None,
    ) -> list[str]:
        return changes.delete_some(self.world, ids, count, percent, search)

    def insert(self, count: int = 1, fields: Mapping[str, object] | None = None) -> list[str]:
        return changes.insert_some(self.world, count, fields)

    def rename_search(self, search_id: str, name: str) -> None:
        changes.set_search(self.world, search_id, name=name)

    def hide_search(self, search_id: str) -> None:
        changes.set_search(self.world, search_id, is_public=False)

    def show_search(self, search_id: str) -> None:
        changes.set_search(self.world, search_id, is_public=True, deleted=False)

    def deactivate_search(self, search_id: str) -> None:
        changes.set_search(self.world, search_id, is_active=False)

    def delete_search(self, search_id: str) -> None:
        changes.set_search(self.world, search_id, deleted=True)

    def restore_search(self, search_id: str) -> None:
        changes.set_search(self.world, search_id, deleted=False)

    def make_search(self, name: str, like: str) -> str:
        """Save a new search that asks what another one does, and return its ID."""
        return changes.make_search(self.world, name, like).id

    # -- log ----------------------------------------------------------------------------------------------------

    def calls(self, operation: str) -> int:
        return self.world.log.counts[operation]

    def log(self) -> dict[str, object]:
        return self.world.log.as_dict()

    def reset(self, people: int | None = None, seed: int | None = None) -> None:
        self.world.reset(people, seed)


def population_size(text: str) -> int:
    number = int(text)
    if not 10 <= number <= 1_000_000:
        raise argparse.ArgumentTypeError("choose from 10 to 1,000,000 people")
    return number


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what both ways to start the server take."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=8081, help="0 takes any free port")
    parser.add_argument("--people", type=population_size, default=5000, help="10 to 1,000,000")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait this long before each answer")


def serve(port: int, people: int, seed: int, latency_ms: float = 0.0, host: str = "127.0.0.1") -> None:
    """Run a stand-in until Ctrl-C."""
    standin = StandIn(people, seed, latency_ms=latency_ms, host=host, port=port)
    print(f"Stand-in MemberSuite: {standin.url}/ with {people} people (seed {seed})")
    print(f"  Concierge: association {data.ASSOCIATION_ID}, access key {data.ACCESS_KEY_ID}")
    print(f"  secret access key {data.SECRET_ACCESS_KEY}")
    print(f"  REST: tenant {data.TENANT_ID}, user {data.API_USER}, password {data.API_PASSWORD}", flush=True)
    try:
        standin.server.serve_forever(0.2)
    except KeyboardInterrupt:
        print("Stopped.")
    finally:
        standin.world.stopping.set()
        standin.world.faults.clear()
        standin.server.server_close()
