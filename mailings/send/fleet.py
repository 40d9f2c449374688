"""The connections of a mailing to the mail server, on a thread of their own. It knows nothing of the database.

One connection goes ahead; the others follow when it has got an answer to a message, so that a server that breaks off
each message costs one recipient's certainty and not as many as there are connections. Where the server offers
PIPELINING, a message's text and the envelope of the next one go out together.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import Self, cast

import uvloop
from django.utils.translation import gettext

from ..choices import Outcome
from .lease import BACK, TAKEN, Verdict
from .line import MOST_IN_FLIGHT, Line, Parcel
from .smtp import OK, SEND_TEXT, Account, Lost, NoEntry, Reply, connect

log = logging.getLogger(__name__)

# Some servers and the machines between close a connection that has been used for long.
_MOST_A_CONNECTION = 1_000
_TOO_MUCH = 421  # "closing the connection": said when it has had enough messages, or enough of us
_BUSY = (421, 450)  # fewer connections are used for a while
# Messages that are written one right after the other: code and texts are at hand then.
_WRITTEN_AT_ONCE = 10
_CALM_SECONDS = 1.0  # what several connections are told at once counts once
_CALM_MESSAGES = 200  # then one more connection is tried
_UNKNOWN = Verdict(Outcome.UNKNOWN)


class _Cut(Exception):
    """The server wants no more on this connection; it has not taken the message at hand."""

    def __init__(self, trouble: str, code: int) -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.code = code


class _Late(Exception):
    """What is in our hands is another's by now, or may be."""


class _Hands:
    """What a connection is busy with.

    `fate` is what becomes of the message at hand should the connection break off; `ahead` is announced behind it.
    """

    def __init__(self) -> None:
        self.parcel: Parcel | None = None
        self.ahead: Parcel | None = None
        self.fate = BACK


class Fleet:
    """Used as a context: inside it the thread runs. All public methods are the bookkeeper's, for its own thread."""

    def __init__(self, account: Account, most: int, *, is_in_time: Callable[[], bool] = lambda: True) -> None:
        """Args: `most` connections at once; `is_in_time` says whether messages may be handed over still."""
        self._account, self._is_in_time = account, is_in_time
        self._most = self._most_now = most
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="mail-server", daemon=True)
        self._news = threading.Condition()
        # Appended to by the thread, taken from by the bookkeeper: for that alone neither needs the lock of the news.
        self._answers: deque[tuple[int, Verdict]] = deque()
        words = gettext("It has letters before the @ that this mail server does not take.")
        self._no_utf8 = Verdict(Outcome.FAILED, "address", words)
        self._least = 1
        self._has_changed = False
        self.trouble = ""  # why the server will have nothing now
        self.is_late = False  # and nothing more is handed over
        self._error: BaseException | None = None
        # The thread's own:
        self._parcels: deque[Parcel] = deque()
        self._written_count = 0  # of the first of those
        self._waiters: list[asyncio.Future[None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._plying: set[asyncio.Task[None]] = set()  # with those that are leaving
        self._connecting: set[asyncio.Task[None]] = set()
        self._lines: set[Line] = set()
        self._to_come = 0
        self._is_proven = self._is_over = False
        self._slowed_at = 0.0
        self._good_count = 0

    # --- the bookkeeper's side

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def room(self) -> int:
        """Say how many messages may be in flight now, over all connections."""
        return sum(line.window for line in tuple(self._lines))

    def send(self, parcels: list[Parcel], to_come: int) -> None:
        """Hand over messages; `to_come` more are expected."""
        self._loop.call_soon_threadsafe(self._add, parcels, to_come)

    def wait(self, least: int, seconds: float) -> list[tuple[int, Verdict]]:
        """Give what became of messages: when there are so many answers, something changed, or the time is up."""
        with self._news:
            self._least = max(1, least)
            self._news.wait_for(lambda: len(self._answers) >= self._least or self._has_changed or self.trouble, seconds)
            self._has_changed = False
            answers = self._taken_answers()
        if self._error is not None:
            error, self._error = self._error, None
            self._answers.extendleft(reversed(answers))
            raise error
        return answers

    def recall(self) -> None:
        """Have everything back that was not begun."""
        if self._thread.is_alive():  # the last answers may be what says so
            self._loop.call_soon_threadsafe(self._give_back)

    def close(self) -> list[tuple[int, Verdict]]:
        """End, and give the last answers: whatever was handed over has one then."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._close)
            self._thread.join()
        return self._taken_answers()

    def _taken_answers(self) -> list[tuple[int, Verdict]]:
        return [self._answers.popleft() for _ in range(len(self._answers))]

    # --- the thread's side

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._sail())
        finally:
            self._loop.close()

    async def _sail(self) -> None:
        self._is_closed = asyncio.Event()
        self._spread()
        await self._is_closed.wait()
        while self._plying:
            await asyncio.wait(self._plying)
        self._give_back()

    def _add(self, parcels: Iterable[Parcel], to_come: int) -> None:
        self._parcels.extend(parcels)
        self._to_come = to_come
        if self._is_over:
            self._give_back()
            return
        self._spread()
        self._wake(len(self._parcels))

    def _spread(self) -> None:
        """Open as many connections as are worth while."""
        due = len(self._parcels) + self._to_come
        wanted = min(self._most_now, 1 + due // MOST_IN_FLIGHT) if self._is_proven else 1
        while len(self._tasks) < wanted and not self._is_over:
            task = self._loop.create_task(self._ply())
            self._tasks.add(task)
            self._plying.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._connecting.discard(task)
        self._plying.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error
            self._stop(gettext("Something went wrong in this program."))
        elif not self._is_over:
            self._spread()

    def _wake(self, count: int) -> None:
        while self._waiters and count:
            waiter = self._waiters.pop()
            if not waiter.done():
                waiter.set_result(None)
                count -= 1

    def _answer(self, pk: int, verdict: Verdict) -> None:
        self._answers.append((pk, verdict))
        if len(self._answers) >= self._least:
            with self._news:
                self._news.notify()

    def _give_back(self) -> None:
        while self._parcels:
            self._answer(self._parcels.popleft().pk, BACK)
        self._written_count = 0

    def _stop(self, trouble: str) -> None:
        self._end()
        with self._news:
            self.trouble = trouble
            self._news.notify()

    def _end(self) -> None:
        self._is_over = True
        self._give_back()
        self._wake(len(self._waiters))
        for task in tuple(self._connecting):
            task.cancel()

    def _close(self) -> None:
        self._end()
        self._is_closed.set()

    async def _ply(self) -> None:
        """Keep one connection, and another after it, as long as there is something to send."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            while not self._is_over and task in self._tasks and len(self._tasks) <= self._most_now:
                self._connecting.add(task)
                connection = await connect(self._account)
                self._connecting.discard(task)
                await self._use_up(Line(connection))
        except NoEntry as error:
            self._tasks.discard(task)
            self._most_now = max(1, len(self._tasks))
            if not self._tasks:
                self._stop(error.sentence)
        finally:
            self._tasks.discard(task)

    async def _use_up(self, line: Line) -> None:
        self._lines.add(line)
        self._tell_of_change()
        try:
            await self._use(line)
        except _Cut as cut:
            if not line.handed_over_count:  # another one would do no better now
                raise NoEntry(cut.trouble) from None
        except _Late:
            self._end()
            self.is_late = True
            self._tell_of_change()
        finally:
            self._lines.discard(line)
            line.connection.drop()

    def _tell_of_change(self) -> None:
        with self._news:
            self._has_changed = True
            self._news.notify()

    async def _use(self, line: Line) -> None:
        """Send on one connection until it has had enough. Raises _Cut."""
        hands = _Hands()
        try:
            while True:
                if hands.parcel is None:
                    hands.parcel = await self._next(line)
                    if hands.parcel is None:
                        await line.connection.leave()
                        return
                    if not line.takes(hands.parcel):
                        self._answer(hands.parcel.pk, self._no_utf8)
                        hands.parcel = None
                        continue
                    line.begin(hands.parcel)
                verdict = await self._admitted(line, hands.parcel)
                if verdict is None:
                    self._hand_over(line, hands)
                    await line.connection.hear(partial(self._hear, line, hands))
                    if hands.fate is BACK:  # that one was taken, and those after it
                        continue
                    reply = await line.connection.reply()
                    verdict = TAKEN if reply.is_good else self._not_taken(reply)
                self._note(line, hands, verdict)
        except Lost:
            log.warning("the connection to the mail server was lost")
            raise _Cut(gettext("The connection to the mail server was lost."), 0) from None
        except _Cut:
            hands.fate = BACK
            raise
        finally:
            for parcel, verdict in ((hands.parcel, hands.fate), (hands.ahead, BACK)):
                if parcel is not None:
                    self._answer(parcel.pk, verdict)

    def _hand_over(self, line: Line, hands: _Hands) -> None:
        """Send the text of the message at hand, and what the server can be told of the next one."""
        parcel = cast("Parcel", hands.parcel)
        hands.ahead = self._next_ahead(line)
        message = parcel.message
        if not self._is_in_time():
            raise _Late
        hands.fate = _UNKNOWN  # unless the server's answer tells
        line.hand_over(message, hands.ahead)

    def _hear(self, line: Line, hands: _Hands) -> bool:
        """Do what there is to do as long as all goes well: the message was taken, and the next may be sent.

        Say whether it is waited for more; otherwise `_use` goes on from where this is.
        """
        if hands.fate is _UNKNOWN:
            if not line.connection.has_taken():
                return False
            self._note(line, hands, TAKEN)
        if hands.parcel is None or not line.takes_text():
            return False
        self._hand_over(line, hands)
        return True

    def _note(self, line: Line, hands: _Hands, verdict: Verdict) -> None:
        """Tell what became of the message at hand, and turn to the next."""
        line.has_answered()
        self._answer(cast("Parcel", hands.parcel).pk, verdict)
        self._go_on(verdict)
        hands.parcel, hands.ahead, hands.fate = hands.ahead, None, BACK

    async def _next(self, line: Line) -> Parcel | None:
        while not self._has_enough(line):
            if self._parcels:
                return self._taken()
            waiter = self._loop.create_future()
            self._waiters.append(waiter)
            await waiter
        if len(self._tasks) > self._most_now:
            # At once, so that not two leave because one is too many.
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        return None

    def _next_ahead(self, line: Line) -> Parcel | None:
        if not line.connection.is_pipelining or not self._parcels or self._has_enough(line, 1):
            return None
        return self._taken() if line.takes(self._parcels[0]) else None

    def _taken(self) -> Parcel:
        """Take the next parcel. Some messages are written at once: each by itself takes nearly twice as long."""
        if not self._written_count:
            for parcel in islice(self._parcels, _WRITTEN_AT_ONCE):
                _ = parcel.message
                self._written_count += 1
        self._written_count -= 1
        return self._parcels.popleft()

    def _has_enough(self, line: Line, more: int = 0) -> bool:
        is_one_too_many = len(self._tasks) > self._most_now
        return self._is_over or is_one_too_many or line.handed_over_count + more >= _MOST_A_CONNECTION

    async def _admitted(self, line: Line, parcel: Parcel) -> Verdict | None:
        """Bring a message to where the server waits for its text: None. Or tell why it does not come there."""
        if line.takes_text():
            return None
        reply = await line.mail(parcel)
        if reply.code != OK:
            if parcel.envelope.needs_utf8 and reply.code >= 500:
                return await self._refused(line, reply)
            self._slow_down(reply.code)
            sentence = (
                gettext('The mail server has had enough for now: "%(words)s".')
                if reply.code == _TOO_MUCH
                else gettext('The mail server refuses the sender: "%(words)s".')
            )
            raise _Cut(sentence % {"words": reply.words}, reply.code)
        reply = await line.rcpt(parcel)
        if not reply.is_good:
            return await self._refused(line, reply)
        reply = await line.data()
        return None if reply.code == SEND_TEXT else self._not_taken(reply, line)

    async def _refused(self, line: Line, reply: Reply) -> Verdict:
        """Judge by the reply to MAIL or RCPT, and bring the connection to where it can go on."""
        verdict = self._not_taken(reply, line)
        await line.drain(reply)
        return verdict

    def _not_taken(self, reply: Reply, line: Line | None = None) -> Verdict:
        """Judge by the server's reply: it says that it has not taken the message."""
        self._slow_down(reply.code)
        if reply.code == _TOO_MUCH:
            sentence = gettext('The mail server closed the connection: "%(words)s".')
            raise _Cut(sentence % {"words": reply.words}, reply.code)
        if line is not None:
            line.must_reset = True
        outcome = Outcome.DEFERRED if 400 <= reply.code < 500 else Outcome.FAILED
        return Verdict(outcome, str(reply.code), reply.words)

    def _go_on(self, verdict: Verdict) -> None:
        """Use more connections: the server talks to us."""
        self._good_count += verdict.outcome == Outcome.SENT
        if self._is_proven and self._good_count < _CALM_MESSAGES:
            return
        if self._good_count >= _CALM_MESSAGES:
            self._good_count, self._most_now = 0, min(self._most, self._most_now + 1)
        self._is_proven = True
        self._spread()

    def _slow_down(self, code: int) -> None:
        """Use half as many connections when the server is busy."""
        if code not in _BUSY:
            return
        self._good_count = 0
        if self._loop.time() - self._slowed_at > _CALM_SECONDS:
            self._slowed_at, self._most_now = self._loop.time(), max(1, len(self._tasks) // 2)
            self._wake(len(self._waiters))  # those that are too many leave
