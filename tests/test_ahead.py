"""Lines wait for whoever reads them, and for nobody else."""

import threading
import time

from translate.archive.drawing import BATCHES, WAIT_SECONDS, Ahead

SLOW_SECONDS = 0.5  # that a batch may take where much else is going on


def test_no_more_batches_are_drawn_than_are_worked_on():
    """As soon as somebody tells of reading, a batch more waits until another one is read."""
    ahead = Ahead()
    ahead.begin()
    for _ in range(BATCHES + 1):
        ahead.draw()
    ahead.read()
    drawn = threading.Event()

    def draw() -> None:
        ahead.draw()
        drawn.set()

    drawing = threading.Thread(target=draw)
    drawing.start()
    assert not drawn.wait(SLOW_SECONDS)
    ahead.read()
    assert drawn.wait(WAIT_SECONDS * 50)
    drawing.join()


def test_a_reader_that_has_had_enough_stops_nobody():
    """What is drawn after that waits for a moment, not for ever."""
    ahead = Ahead()
    ahead.begin()
    ahead.draw()
    ahead.read()
    begin = time.monotonic()
    for _ in range(BATCHES + 2):
        ahead.draw()
    assert WAIT_SECONDS * 1.9 < time.monotonic() - begin < WAIT_SECONDS * 50


def test_lines_that_nobody_tells_of_reading_come_without_waiting():
    """A question about all lines asks for them as fast as they come."""
    ahead = Ahead()
    begin = time.monotonic()
    for _ in range(2):
        ahead.begin()
        for _ in range(100):
            ahead.draw()
    assert time.monotonic() - begin < WAIT_SECONDS
