# SPDX-License-Identifier: Apache-2.0
"""crash_test.py: katamaran is killed at every point, and `katamaran recover` takes everything back.

A point is where a run changes something that outlives it, or has just changed it; see
kernel_faults.cc. Usage: crash_test.py [--all] [TEST…]; --all plays each pair of a point of the run
and a point of the recovery, which takes minutes, and not only a sample of them.
"""
import itertools
import multiprocessing
import os
import pathlib
import random
import signal
import sys
import time

import crash_plans as plans
import crash_stage as stage
import tap

ROUNDS_SHORT = 16 if stage.SHORT else 30 if stage.SLOW else 1000
FAILURES_SHOWN = 8
# Half of the time of a round the kernel waits, when it deletes a device; where all is slow, a World
# for each worker takes longest.
WORKERS = int(os.environ.get("KTM_WORKERS", 2 if stage.SLOW else 3 * os.cpu_count()))
BEFORE, AFTER = "KTM_KILL_AT", "KTM_KILL_AFTER"
SHARED = {}


def begin():
    """Everything that all tests share, once: the object, what this kernel can do, the points."""
    if "plug" not in SHARED:
        SHARED["tunnels"], SHARED["plug"] = stage.has_tunnels(), stage.has_plug()
        if not SHARED["tunnels"]:
            print("# THIS KERNEL HAS NO ipip AND gre: wrapped tunnels are not part of the plan")
        if not SHARED["plug"]:
            print("# THIS KERNEL HAS NO sch_plug: holds are rings alone")
    tap.lacks(*(what for what in (stage.TUNNELS, stage.PLUG)
                if not SHARED["tunnels" if what == stage.TUNNELS else "plug"]))
    return SHARED


def new_world():
    """A World with all that this kernel can do, and the plan of all parts."""
    shared = begin()
    world = stage.World(shared["tunnels"], shared["plug"])
    plans.write_all(world)
    return world


class Fixture:
    """A World for a test, and how it was before."""

    def __enter__(self):
        self.world = new_world()
        self.before = self.world.dump()
        return self

    def __exit__(self, *_):
        self.world.unmake()

    def assert_clean(self, hint=""):
        """Everything is as it was before, and no journal is left."""
        wrong = what_is_left(self.world, self.before)
        assert not wrong, f"{hint}\n{wrong}"

    def killed(self, plan, point, how=BEFORE, **more):
        """A run that dies at a point."""
        ended = self.world.play(plan, faults={how: str(point)}, **more)
        assert ended.killed, ended


def what_is_left(world, before):
    """What differs from before, for people; empty when nothing does."""
    now = world.dump()
    left = [] if now == before else [stage.difference(before, now)]
    if names := stage.journals():
        texts = [pathlib.Path(stage.STATE, name).read_text("utf-8", "replace") for name in names]
        left.append(f"journals: {names}\n" + "\n".join(texts))
    return "\n".join(left)


# --- Rounds ---------------------------------------------------------------------------------------


def play_round(world, before, kill, recoveries, count=False):
    """A run that is killed, recoveries that are killed, one that is not. Returns what is wrong."""
    how, point = kill
    ended = world.play("all", faults={how: str(point)})
    if not ended.killed:
        return f"the run did not die: {ended}"
    for way, at in recoveries:
        ended = world.recover(faults={way: str(at)})
        if not ended.killed and ended.code != 0:
            return f"the recovery that was to be killed failed: {ended}"
    ended = world.recover(faults={"KTM_COUNT_FILE": stage.COUNTED} if count else None)
    if ended.code != 0:
        return f"the recovery failed: {ended}"
    return what_is_left(world, before)


class Worker:
    """What a process of its own keeps between rounds."""

    world = None
    before = None


def begin_worker(shared):
    """In a process of its own, a World of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    SHARED.update(shared)
    stage.isolate(shared["shim"])
    Worker.world = new_world()
    Worker.before = Worker.world.dump()


def work(task):
    """One round; a World that is not clean behind it is made anew."""
    kill, recoveries, count = task
    points = 0
    try:
        pathlib.Path(stage.COUNTED).unlink(missing_ok=True)
        wrong = play_round(Worker.world, Worker.before, kill, recoveries, count)
        if count:
            lines = pathlib.Path(stage.COUNTED).read_text("utf-8").splitlines()
            points = sum(line.startswith("point") for line in lines)
        stage.reap()
    except AssertionError as error:
        wrong = str(error)
    if wrong:
        Worker.world.unmake()
        Worker.world.make()
        Worker.before = Worker.world.dump()
    return task, points, wrong


def check_settings(_):
    """Every setting below /proc/sys/net, of a worker that has played its rounds."""
    fresh = Worker.world.all_settings()
    Worker.world.unmake()
    Worker.world.make()
    return stage.difference(flat(Worker.world.all_settings()), flat(fresh))


def flat(found):
    """Settings as a dump; what the kernel counts or makes up is left out."""
    passing = ("stable_secret", "nf_conntrack", "/neigh/default/gc", "base_reachable", "flush")
    return {str(where): "\n".join(f"{name} = {value.strip()}" for name, value in values.items()
                                  if not any(word in name for word in passing))
            for where, values in found.items()}


class Rounds:
    """Plays rounds in several processes, and keeps count."""

    def __init__(self):
        shared = begin()
        self.failures, self.rounds, self.began = [], 0, time.monotonic()
        self.pool = multiprocessing.get_context("fork").Pool(WORKERS, begin_worker, (shared,))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.terminate()
        self.pool.join()

    def play(self, tasks):
        """All of them, or as many as it takes to know; the points of each."""
        points = {}
        for task, count, wrong in self.pool.imap_unordered(work, tasks, chunksize=4):
            self.rounds += 1
            points[task[0]] = count
            if self.rounds % 100 == 0:
                print(f"# {self.rounds} rounds after {time.monotonic() - self.began:.1f} s",
                      flush=True)
            if wrong:
                self.failures.append(f"killed at {task[0]}, recovery at {task[1]}:\n{wrong}")
            if len(self.failures) >= FAILURES_SHOWN:
                break
        return points

    def end(self, what):
        """Says how it went."""
        seconds = time.monotonic() - self.began
        print(f"# {what}: {self.rounds} rounds in {seconds:.1f} s, "
              f"{self.rounds / seconds:.1f} rounds/s, {len(self.failures)} failed")
        wrong = "\n".join(self.failures)
        assert not self.failures, wrong


def points_of_run():
    """The points of the plan of all parts, counted once."""
    shared = begin()
    if "points" not in shared:
        with Fixture() as scene:
            ended, points, changes = scene.world.count("run", "all")
            assert ended.code == 1 and "(enough)" in ended.out, ended
            assert "nothing was left behind" in ended.out, ended
            scene.assert_clean("behind a run that nobody disturbed")
        shared["points"] = points
        print(f"# a run of all parts has {len(points)} points and {len(changes)} changes")
    return shared["points"]


@stage.in_short
def test_undisturbed():
    """A run that acquires everything and aborts gives everything back by itself"""
    points_of_run()


@stage.in_short
def test_every_point():
    """A run that is killed before or behind any of its points is recovered: all is as before"""
    kills = [(how, at + 1) for at in range(len(points_of_run())) for how in (BEFORE, AFTER)]
    with Rounds() as rounds:
        counts = rounds.play([(kill, (), True) for kill in stage.sample(kills, 15)])
        rounds.end("each point of the run")
    SHARED["recovery"] = counts


def pairs():
    """Each point of the run with each point of the recovery behind it; or a sample of them."""
    counts = SHARED.get("recovery") or {}
    most = max(counts.values(), default=30)
    every = [((kill, at), ((way, to),), False)
             for kill, at in itertools.product((BEFORE, AFTER), range(1, len(points_of_run()) + 1))
             for way, to in itertools.product((BEFORE, AFTER),
                                              range(1, counts.get((kill, at), most) + 1))]
    if stage.ALL:
        return every
    wanted = max(ROUNDS_SHORT - len(counts), ROUNDS_SHORT // 2)
    return random.Random(len(every)).sample(every, min(wanted, len(every)))


@stage.in_short
def test_killed_recovery():
    """A recovery that is killed itself, at any point of it, is gone on with by the next one"""
    with Rounds() as rounds:
        rounds.play(pairs())
        rounds.end("points of the run × points of the recovery" +
                   ("" if stage.ALL else ", a sample; --all plays each"))


def test_killed_twice():
    """Two recoveries that are killed one after the other are gone on with, too"""
    chance = random.Random(2)
    count = len(points_of_run())
    tasks = [((BEFORE, chance.randint(count // 4, count)),
              ((BEFORE, chance.randint(1, 20)), (AFTER, chance.randint(1, 20))), False)
             for _ in range(4 if stage.SLOW else 40)]
    with Rounds() as rounds:
        rounds.play(tasks)
        rounds.end("two killed recoveries")


@stage.in_short
def test_settings():
    """No setting below /proc/sys/net of either namespace differs after many rounds"""
    count, many = len(points_of_run()), 4 if stage.SLOW else 50
    with Rounds() as rounds:
        rounds.play([((BEFORE, 1 + at * count // many), (), False) for at in range(many)])
        wrong = [text for text in rounds.pool.map(check_settings, range(WORKERS)) if text]
        rounds.end("settings")
    assert not wrong, "\n".join(wrong)


if __name__ == "__main__":
    stage.main(globals(), SHARED, scene=Fixture)
