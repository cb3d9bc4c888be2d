from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from deploytasks import providers
from deploytasks.errors import Unreachable
from deploytasks.ports import COLORS, Health, Installed
from deploytasks.providers.probe import MOST_WORKERS, HttpProber, Tally
from deploytasks.providers.site import Site
from deploytasks.settings.probe import ProbeSettings
from deploytasks.verdict.ladder import LADDER

SITE = Site("library", "development", Path(), Path(), None, "ann@host")


class Server(ThreadingHTTPServer):
    """A real server that notes what it is asked and answers as it is told."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.delay = 0.0
        self.hangs_up_after: int | None = None
        self.keeps_back = 0
        self.asked: list[tuple[str, str]] = []
        self.connections = 0
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address) -> None:
        """A prober that hangs up is expected."""


class Handler(BaseHTTPRequestHandler):
    """GET only, so that anything else is answered 501."""

    server: Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.answered = 0

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path))
        self.server.release.wait(self.server.delay)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(5 + self.server.keeps_back))
        self.end_headers()
        self.wfile.write(b"hello")
        self.answered += 1
        # Without a `Connection: close`: the client learns of it when it uses the connection again.
        self.close_connection = self.answered == self.server.hangs_up_after or self.server.keeps_back > 0

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[], Server]]:
    servers = []

    def make() -> Server:
        server = Server()
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    yield make
    for server in servers:
        server.release.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def probe() -> Iterator[Callable[..., HttpProber]]:
    probers = []

    def make(blue: str | None = None, green: str | None = None, **settings) -> HttpProber:
        prober = HttpProber(
            ProbeSettings(**settings),
            SITE,
            lambda color: [base for base in [{"blue": blue, "green": green}[color]] if base],
        )
        probers.append(prober)
        prober.start()
        return prober

    yield make
    for prober in probers:
        prober.stop()


def wait_for(claim: Callable[[], object], within: float = 10.0) -> None:
    until = time.monotonic() + within
    while not claim():
        assert time.monotonic() < until, "did not happen in time"
        time.sleep(0.01)


def requests(prober: HttpProber, color) -> int:
    return prober.totals(LADDER)[color].requests if color in prober.totals(LADDER) else 0


def test_both_colors_are_asked_in_turn(serve, probe):
    """Every path, GET only, to each color; counted without errors."""
    blue, green = serve(), serve()
    prober = probe(blue.url, green.url, rps=100, paths=["/", "/api/books/?page=2"])
    wait_for(lambda: min(requests(prober, color) for color in COLORS) >= 6)
    prober.stop()

    for server in (blue, green):
        asked = Counter(server.asked)
        assert set(asked) == {("GET", "/"), ("GET", "/api/books/?page=2")}
        # In turn as they are sent; a busy machine may deliver neighbors the other way round.
        assert abs(asked["GET", "/"] - asked["GET", "/api/books/?page=2"]) <= 2
    assert [prober.totals(LADDER)[color].errors for color in COLORS] == [0, 0]


def test_the_pace_is_kept(serve, probe):
    """As many requests as due, neither drifting nor in bursts, over few connections."""
    server = serve()
    began = time.monotonic()
    prober = probe(server.url, rps=100)
    wait_for(lambda: requests(prober, "blue") >= 100)

    assert 0.9 <= time.monotonic() - began < 3
    assert server.connections <= 10


def test_a_color_without_address_is_left_alone(serve, probe):
    """Nothing is sent to it, and it is absent from the totals."""
    server = serve()
    prober = probe(green=server.url, rps=100)
    wait_for(lambda: requests(prober, "green") >= 3)

    assert set(prober.totals(LADDER)) == {"green"}


@pytest.mark.parametrize(("status", "is_error"), [(200, False), (302, False), (404, False), (500, True), (503, True)])
def test_what_counts_as_an_error(serve, probe, status, is_error):
    """Answers from 500 on are errors; what the application says on purpose is not."""
    server = serve()
    server.status = status
    prober = probe(server.url, rps=100)
    wait_for(lambda: requests(prober, "blue") >= 5)
    prober.stop()

    totals = prober.totals(LADDER)["blue"]
    assert totals.errors == (totals.requests if is_error else 0)


def test_no_server_is_an_error(probe):
    """A refused connection counts as a request and as an error."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        prober = probe(f"http://127.0.0.1:{unused.getsockname()[1]}", rps=100)
        wait_for(lambda: requests(prober, "blue") >= 5)
        prober.stop()

    totals = prober.totals(LADDER)["blue"]
    assert totals.errors == totals.requests


def test_half_an_answer_is_an_error(serve, probe):
    """A body that ends before its announced length is no answer, whatever its status."""
    server = serve()
    server.keeps_back = 5
    prober = probe(server.url, rps=100)
    wait_for(lambda: requests(prober, "blue") >= 5)
    prober.stop()

    totals = prober.totals(LADDER)["blue"]
    assert totals.errors == totals.requests


def test_slow_answers_are_counted_as_slow(serve, probe):
    """An answer after 0.2 s is slower than all edges below, and than none above by much."""
    server = serve()
    server.delay = 0.2
    prober = probe(server.url, rps=50)
    wait_for(lambda: requests(prober, "blue") >= 10)
    prober.stop()

    totals = prober.totals(LADDER)["blue"]
    assert {edge: totals.slower[edge] for edge in LADDER if edge < 0.2} == {
        edge: totals.requests for edge in LADDER if edge < 0.2
    }
    assert totals.slower.get(2.0, 0) == 0
    assert totals.errors == 0


def test_slow_answers_do_not_stall_the_pace(serve, probe):
    """While earlier requests hang, later ones are sent on time, up to the bound on those under way."""
    server = serve()
    server.delay = 30.0
    probe(server.url, rps=100, timeout=30)
    wait_for(lambda: len(server.asked) >= MOST_WORKERS, within=3.0)
    time.sleep(0.1)  # ten more would be due

    assert len(server.asked) == MOST_WORKERS


def test_a_timeout_is_an_error_and_slower_than_all_up_to_it(serve, probe):
    """No answer in time counts as an error, slower than every edge up to the timeout and than none above it."""
    server = serve()
    server.delay = 30.0
    prober = probe(server.url, rps=20, timeout=0.5)
    wait_for(lambda: requests(prober, "blue") >= 3)
    prober.stop()

    totals = prober.totals(LADDER)["blue"]
    assert totals.errors == totals.requests
    assert totals.slower == {edge: totals.requests for edge in LADDER if edge <= 0.5}


def test_a_connection_that_the_server_closed_is_no_error(serve, probe):
    """Between two requests a server may hang up: the request goes out on a new connection, and counts once."""
    server = serve()
    server.hangs_up_after = 2
    prober = probe(server.url, rps=100)
    wait_for(lambda: requests(prober, "blue") >= 20)
    prober.stop()

    totals = prober.totals(LADDER)["blue"]
    assert totals.errors == 0
    assert totals.requests <= len(server.asked) <= totals.requests + MOST_WORKERS
    assert server.connections > 5


def test_stopping_is_quick_and_final(serve, probe):
    """With answers outstanding it stops within a second; nothing is counted or sent afterwards."""
    server = serve()
    server.delay = 30.0
    prober = probe(server.url, rps=50, timeout=30)
    wait_for(lambda: len(server.asked) >= 5)
    began = time.monotonic()
    prober.stop()

    assert time.monotonic() - began < 1.0
    assert prober.totals(LADDER)["blue"] == (0, 0, {})
    wait_for(lambda: not [thread for thread in threading.enumerate() if thread.name == f"probe {server.url}"])


def test_starting_again_goes_on_counting(serve, probe):
    """Totals only rise, over a stop and another start; starting twice is starting once."""
    server = serve()
    prober = probe(server.url, rps=100)
    prober.start()
    wait_for(lambda: requests(prober, "blue") >= 5)
    prober.stop()
    before = requests(prober, "blue")
    prober.start()

    wait_for(lambda: requests(prober, "blue") > before)


def test_every_request_is_counted_once(serve, probe):
    """What the server answered is what was counted."""
    server = serve()
    prober = probe(server.url, rps=500)
    wait_for(lambda: requests(prober, "blue") >= 200)
    prober.stop()

    assert 0 <= len(server.asked) - requests(prober, "blue") <= MOST_WORKERS


def test_a_tally_between_threads():
    """Nothing is lost when many threads count at once."""
    tally = Tally()
    threads = [
        threading.Thread(target=lambda: [tally.add(0.0105, failed=False) for _ in range(2000)]) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    totals = tally.totals([0.001, 0.0100, 0.02])
    assert (totals.requests, totals.errors) == (16000, 0)
    assert 0.02 not in totals.slower


@pytest.mark.parametrize("edge", [LADDER[0], 0.5, 1.0, 2.0, LADDER[-1]])
def test_a_request_that_took_an_edge_is_not_slower_than_it(edge):
    """Exactly the edge is not more than the edge; a hair more is."""
    tally = Tally()
    tally.add(edge, failed=False)
    assert tally.totals([edge]).slower == {}

    tally.add(edge * 1.0001, failed=False)
    assert tally.totals([edge]).slower == {edge: 1}


def test_an_edge_between_two_steps_never_counts_too_many():
    """For an edge that is not on the ladder the next higher one counts."""
    tally = Tally()
    between = (LADDER[40] + LADDER[41]) / 2
    tally.add(between * 1.001, failed=False)
    tally.add(LADDER[41] * 1.001, failed=False)

    assert tally.totals([between]).slower == {between: 1}


class Fleet:
    """Blue runs, green is installed and stopped."""

    def __init__(self, settings, site) -> None:
        self.answers = settings.rps < 100

    def installed(self, color):
        if not self.answers:
            raise Unreachable("no host answers")
        return Installed("1.0.0-abc", "abc", "1.0.0", running=color == "blue")

    def hosts(self, color=None):
        return ["here"]

    def address(self, color) -> str:
        return f"http://{color}.test"


@pytest.mark.parametrize(("answers", "probed"), [(True, {"blue"}), (False, {"blue", "green"})])
def test_by_default_the_fleet_says_where(monkeypatch, answers, probed):
    """Without an address given, what runs is asked; when the fleet does not tell, both are."""
    monkeypatch.setattr(providers, "open_provider", lambda section, value, site: Fleet(value, site))
    fleet = ProbeSettings(rps=20 if answers else 100)
    prober = HttpProber(ProbeSettings(rps=0.01), SITE._replace(sections={"fleet": fleet}))

    assert {color for color in COLORS if prober._addresses(color)} == probed


class Hosts:
    """Three hosts, of which one is down."""

    def __init__(self, names=("h1", "h2", "h3")) -> None:
        self.names = names

    def hosts(self, color=None):
        return self.names

    def only(self, names):
        return Hosts(names)

    def health(self, color):
        return Health(self.names != ["h2"], "")

    def address(self, color) -> str:
        return f"http://{self.names[0]}.test"


def test_of_several_hosts_those_that_are_well_are_asked(monkeypatch):
    """A host that is left out of the deployment must not be taken for a bad release."""
    monkeypatch.setattr(providers, "open_provider", lambda section, value, site: Hosts())
    prober = HttpProber(ProbeSettings(rps=0.01), SITE._replace(sections={"fleet": ProbeSettings()}))
    assert ["http://h1.test", "http://h3.test"] == prober._addresses("blue")


def test_several_hosts_share_the_requests(serve):
    """Each gets its part of what the color gets."""
    servers = [serve(), serve()]
    prober = HttpProber(ProbeSettings(rps=40), SITE, lambda color: [s.url for s in servers] if color == "blue" else [])
    prober.start()
    time.sleep(1.0)
    prober.stop()
    counts = [len(server.asked) for server in servers]
    assert 10 < min(counts) <= max(counts) < 30, counts


@pytest.mark.parametrize("given", [{"rps": 0}, {"paths": []}, {"paths": ["api"]}, {"paths": ["/a b"]}, {"timeout": 0}])
def test_wrong_settings_are_refused(given):
    """A pace, at least one path from the root, a timeout."""
    with pytest.raises(ValidationError):
        ProbeSettings.model_validate(given)
