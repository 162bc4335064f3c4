"""The renderer and its child: who waits for whom, what a kill does, and that nothing is left behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator

import anyio
import pytest

from talkscope.charts.rendering import Renderer
from talkscope.errors import CannotDraw, DeadlineExceeded, TalkscopeError, UsageError
from tests.charts.rendering.programs import SPEC, run, running
from tests.waiting import until, until_async

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="stops and counts processes as POSIX systems do")


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as made:
        yield made


def stopped(renderer: Renderer) -> int:
    """The child, in the middle of anything until it is told to go on."""
    renderer.render(SPEC, "svg")
    child = renderer.pid
    assert child is not None
    os.kill(child, signal.SIGSTOP)
    return child


def child_of(renderer: Renderer) -> int | None:
    return renderer.pid


def busy(renderer: Renderer) -> bool:
    return renderer._lock.locked()


def test_nothing_starts_before_the_first_picture_and_one_process_draws_them_all() -> None:
    with Renderer() as renderer:
        assert child_of(renderer) is None
        renderer.render(SPEC, "svg")
        first = child_of(renderer)
        renderer.render(SPEC, "png")
        assert first is not None
        assert child_of(renderer) == first
    assert not running(first)
    assert child_of(renderer) is None


def test_the_event_loop_goes_on_while_a_picture_is_drawn(renderer: Renderer) -> None:
    turns = 0

    async def count(drawn: anyio.Event) -> None:
        nonlocal turns
        while not drawn.is_set():
            await anyio.sleep(0)
            turns += 1

    async def draw() -> bytes:
        drawn = anyio.Event()
        async with anyio.create_task_group() as group:
            group.start_soon(count, drawn)
            picture = await renderer.arender({**SPEC, "width": 800, "height": 600}, "png")
            drawn.set()
        return picture

    assert anyio.run(draw).startswith(b"\x89PNG")
    assert turns > 100  # drawn in this process, it would have been a handful


def test_threads_get_each_its_own_picture(renderer: Renderer) -> None:
    drawn: dict[int, bytes] = {}

    def draw(number: int) -> None:
        drawn[number] = renderer.render({**SPEC, "title": f"number-{number}"}, "svg")

    threads = [threading.Thread(target=draw, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(drawn) == list(range(12))
    assert all(f"number-{number}<".encode() in svg for number, svg in drawn.items())


def test_a_picture_nobody_waits_for_any_more_is_dropped_and_the_next_is_the_right_one(renderer: Renderer) -> None:
    async def draw() -> bytes:
        child = stopped(renderer)
        async with anyio.create_task_group() as group:
            group.start_soon(renderer.arender, {**SPEC, "title": "dropped"}, "svg")
            await until_async(lambda: busy(renderer), "the first is being drawn")
            group.start_soon(renderer.arender, {**SPEC, "title": "never begun"}, "svg")
            group.cancel_scope.cancel()
        os.kill(child, signal.SIGCONT)
        picture = await renderer.arender({**SPEC, "title": "wanted"}, "svg")
        assert renderer.pid == child
        return picture

    assert b"wanted" in anyio.run(draw)


def test_a_child_that_hangs_is_ended_at_the_deadline_and_replaced(renderer: Renderer) -> None:
    hung = stopped(renderer)
    with pytest.raises(DeadlineExceeded, match=r"longer than 0\.05 s"):
        renderer.render(SPEC, "svg", deadline=0.05)
    assert not running(hung)
    assert renderer.render(SPEC, "svg")
    assert renderer.pid != hung


def test_a_child_that_was_killed_is_replaced_by_the_next_picture(renderer: Renderer) -> None:
    renderer.render(SPEC, "svg")
    killed = renderer.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: not running(killed), "the child's end")
    assert renderer.render(SPEC, "svg")
    assert renderer.pid != killed


def told_while_waiting(renderer: Renderer, done: Callable[[], object]) -> type[TalkscopeError] | None:
    """What is raised for whoever waits for a picture when something is done meanwhile."""
    told: list[type[TalkscopeError]] = []

    def draw() -> None:
        try:
            renderer.render(SPEC, "svg")
        except TalkscopeError as error:
            told.append(type(error))

    thread = threading.Thread(target=draw)
    thread.start()
    until(lambda: busy(renderer), "the picture is asked for")
    done()
    thread.join()
    return told[0] if told else None


def test_whoever_waits_for_a_picture_gets_it_from_the_next_process_or_is_told_that_that_ended_too() -> None:
    renderer = Renderer()
    first = stopped(renderer)
    assert told_while_waiting(renderer, lambda: os.kill(first, signal.SIGKILL)) is None
    assert renderer.pid != first
    killed = stopped(renderer)

    def both() -> None:
        os.kill(killed, signal.SIGKILL)
        until(lambda: renderer.pid not in (None, killed), "the next process")
        assert renderer.pid is not None
        os.kill(renderer.pid, signal.SIGKILL)

    assert told_while_waiting(renderer, both) is CannotDraw
    closed = stopped(renderer)
    assert told_while_waiting(renderer, renderer.close) is UsageError
    assert closed != killed
    assert not running(closed)


def test_a_closed_renderer_draws_no_more_and_closes_again() -> None:
    renderer = Renderer()
    renderer.close()
    renderer.close()
    with pytest.raises(UsageError, match="closed"):
        renderer.render(SPEC, "png")
    assert renderer.pid is None


def test_drawing_leaves_stdin_and_stdout_to_who_asks_and_ends_with_the_interpreter() -> None:
    loud = {**SPEC, "transform": [{"calculate": "info('from inside the chart')", "as": "said"}]}
    done = run(f"renderer.render({loud!r}, 'png'); print(renderer.pid, sys.stdin.read())", given=b"words")
    child, words = done.stdout.split()
    assert (done.returncode, words, done.stderr) == (0, b"words", b"")
    assert not running(int(child))


def test_the_child_does_not_outlive_a_parent_that_is_killed() -> None:
    body = "renderer.render(SPEC, 'svg'); print(renderer.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    done = run(body)
    assert done.returncode == -signal.SIGKILL
    child = int(done.stdout)
    until(lambda: not running(child), "the child's end")


def test_ctrl_c_is_the_parents_business() -> None:
    body = """
    renderer.render(SPEC, "svg")
    before = renderer.pid
    signal.signal(signal.SIGINT, lambda *_: print("caught"))
    os.killpg(0, signal.SIGINT)
    renderer.render(SPEC, "svg")
    print(renderer.pid == before)
    renderer.close()
    """
    done = run(body, alone=True)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [b"caught", b"True"], b"")


def test_an_interrupted_picture_is_not_taken_for_the_next() -> None:
    body = """
    import threading
    from tests.waiting import until
    def interrupt(*_): raise KeyboardInterrupt
    signal.signal(signal.SIGINT, interrupt)
    renderer.render(SPEC, "svg")
    os.kill(renderer.pid, signal.SIGSTOP)
    def when_it_draws():
        until(renderer._lock.locked, "the picture is asked for")
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=when_it_draws).start()
    try:
        renderer.render({**SPEC, "title": "interrupted"}, "svg")
    except KeyboardInterrupt:
        print("stopped")
    print(b"wanted" in renderer.render({**SPEC, "title": "wanted"}, "svg"))
    renderer.close()
    """
    done = run(body)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, [b"stopped", b"True"], b"")


def test_a_forked_process_draws_with_a_child_of_its_own() -> None:
    body = """
    renderer.render(SPEC, "svg")
    parents = renderer.pid
    forked = os.fork()
    if not forked:
        alone = renderer.pid is None
        renderer.render(SPEC, "svg")
        sys.exit(0 if alone and renderer.pid != parents else 3)
    status = os.waitstatus_to_exitcode(os.waitpid(forked, 0)[1])
    renderer.render(SPEC, "svg")
    print(status, renderer.pid == parents)
    renderer.close()
    """
    done = run(body)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"0 True\n", b"")
