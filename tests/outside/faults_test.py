# SPDX-License-Identifier: Apache-2.0
"""faults_test.py: the shipped plans under every fault, and broken ones that must be found out.

What must be found stands in mutations.json: a plan, what of its text is replaced by what, and the
invariant that the simulation must name; some are played by a plan that is derived from that one, or
in another world. It must be a fault that shows it, but for those that say that they are
`undisturbed`: these break it without any. A new one is a new entry.
"""
import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

KATAMARAN = os.environ["KATAMARAN"]
# With sanitizers a trial takes fifty times as long: they see a sample, the others see all.
SANITIZED = os.environ.get("KTM_SANITIZED") == "1"
MUTATIONS = json.loads((ROOT / "tests" / "outside" / "mutations.json").read_text("utf-8"))
MIGRATING = ("shared-storage", "local-storage", "ipv6", "gre")
SHIPPED = ("freeze", "snapshot", *MIGRATING)
BOTH_FAMILIES = "vm_ip=10.1.2.3,2001:db8:1::3"
LIMIT_S = 300
# A copy that is as fast as the link is over sooner, and is looked at less often: half the places
# for faults. The plans' own cases play the slower one, with all of its faults.
QUICK = "tls=10GB/s"
# What no plan can break, for katamaran itself sees to it whatever a plan says; a unit test breaks
# the world instead.
BEYOND_PLANS = {"hold-open": ROOT / "tests" / "unit" / "trial" / "verdicts_test.cc"}


def begun(plans, *arguments, stderr=subprocess.PIPE):
    """`katamaran simulate`, begun, with a folder of plans before the shipped ones."""
    environment = dict(os.environ, KATAMARAN_LUA=str(ROOT / "lua"))
    if plans:
        environment["KATAMARAN_PLAN_PATH"] = str(plans)
    return subprocess.Popen([KATAMARAN, "simulate", *arguments], env=environment, text=True,
                            cwd=plans or ROOT, stdout=subprocess.PIPE, stderr=stderr)


def simulate(*arguments, plans=None):
    """Runs `katamaran simulate` to its end, with a folder of plans before the shipped ones."""
    with begun(plans, *arguments) as process, patience_with(process):
        out, err = process.communicate()
    assert process.returncode >= 0, f"it ended by signal {-process.returncode}\n{out[-500:]}{err}"
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextlib.contextmanager
def patience_with(process):
    """Kills it when it takes too long."""
    timer = threading.Timer(LIMIT_S, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def findings(plans, wanted, *arguments):
    """What a campaign finds, (invariant, whether without a fault), up to the one that is wanted.

    It is ended then, for what else it would find is no answer to anything. And its exit code.
    """
    found = set()
    with begun(plans, *arguments, stderr=subprocess.DEVNULL) as campaign, patience_with(campaign):
        for line in map(json.loads, campaign.stdout):
            if "invariant" in line:
                found.add((line["invariant"], not line["faults"]))
            if wanted in found:
                campaign.kill()
                break
        campaign.communicate()
    return found, campaign.returncode


def lines_of(result):
    """The JSON lines of an output."""
    return [json.loads(line) for line in result.stdout.splitlines()]


def world_of(plan, model=None):
    """The words for the world in which a plan is played with all of its faults."""
    parts = ([QUICK] if plan in MIGRATING else []) + ([model] if model else [])
    return ("--model", ",".join(parts)) if parts else ()


def survives(plan):
    """Every single fault of a shipped plan ends as it must."""
    def check():
        scope = ("--runs", "25") if SANITIZED else ("--faults", "all")
        result = simulate(plan, *scope, *world_of(plan), "--json")
        assert result.returncode == 0, result.stdout[-2000:] + result.stderr
        end = lines_of(result)[-1]
        assert end["violations"] == 0 and end["crossings"] > 5, end
        assert SANITIZED or end["trials"] > end["crossings"], end
        print(f"# {plan}: {end['trials']} trials, {end['crossings']} crossings")
    return check


def carries_both(plan, *arguments):
    """A guest with addresses of both families loses no packet to either."""
    result = simulate(plan, "--var", BOTH_FAMILIES, *arguments)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr
    flows = re.findall(r"(?m)^  to (\S+) +(\d+) of (\d+) delivered, 0 lost", result.stdout)
    assert [flow[0] for flow in flows] == ["10.1.2.3", "2001:db8:1::3"], result.stdout
    assert all(flow[1] == flow[2] and int(flow[1]) > 10_000 for flow in flows), flows


def mutate(mutation, folder):
    """Writes the broken plan, and gives back its file."""
    name = mutation["plan"] + ".lua"
    for plan in (ROOT / "lua" / "plans").glob("*.lua"):
        (folder / plan.name).write_text(plan.read_text("utf-8"), "utf-8")
    text = (folder / name).read_text("utf-8")
    for edit in mutation["edits"]:
        count = text.count(edit["find"])
        assert count == 1, f"{count} times in {name}, and not once: {edit['find']}"
        text = text.replace(edit["find"], edit["put"])
    (folder / name).write_text(text, "utf-8")
    return folder / name


def not_sanitized():
    """Skips what plays much, and nothing that others do not play as well."""
    if SANITIZED:
        raise tap.Skip("TOO SLOW WITH SANITIZERS; the optimised program is asked")


def is_found(mutation):
    """The broken plan is found out, with the right invariant."""
    def check():
        if mutation["plan"] != "freeze":
            not_sanitized()
        with tempfile.TemporaryDirectory() as place:
            folder = pathlib.Path(place)
            plan = mutate(mutation, folder).with_stem(mutation.get("played_as", mutation["plan"]))
            world = [*world_of(mutation["plan"], mutation.get("model"))]
            world += [word for text in mutation.get("vars", ()) for word in ("--var", text)]
            wanted = (mutation["invariant"], mutation.get("undisturbed", False))
            found, code = findings(folder, wanted, str(plan), "--faults", "all", "--json", *world)
            assert wanted in found, f"found {sorted(found)}, exit {code}"
    return check


def again():
    """The command that a finding names shows it again, and the same each time."""
    mutation = MUTATIONS[0]
    with tempfile.TemporaryDirectory() as place:
        plan = mutate(mutation, pathlib.Path(place))
        result = simulate(str(plan), "--faults", "all", plans=pathlib.Path(place))
        assert result.returncode == 1, result
        line = next(line for line in result.stdout.splitlines() if "again: " in line)
        words = line.split("again: katamaran simulate ")[1].split()
        one, other = simulate(*words), simulate(*words)
        assert one.returncode == 3 and "VIOLATED " + mutation["invariant"] in one.stdout, one.stdout
        assert one.stdout == other.stdout


def is_the_same():
    """A hundred simulations of one schedule of faults print the same bytes."""
    times = 1 if SANITIZED else 20
    outputs = {simulate("local-storage", "--runs", "20", "--seed", "7", "--json").stdout
               for _ in range(times)}
    outputs |= {simulate("shared-storage", "--fault", "90:late", "--fault", "100:cut-short",
                         "--json").stdout for _ in range(4 * times)}
    assert len(outputs) == 2


def refuses():
    """What is no fault, no model and no scope is refused, with what was expected."""
    for arguments, expected in (
            (("freeze", "--fault", "x"), "NUMBER:HARM"),
            (("freeze", "--fault", "3:los"), "lost"),
            (("freeze", "--model", "rum=1G"), "ram"),
            (("freeze", "--faults", "some"), "all"),
            (("freeze", "--faults", "pairs", "--share", "4/3"), "such as 3/40"),
            (("freeze", "--faults", "pairs", "--share", "0/3"), "such as 3/40"),
            (("freeze", "--faults", "pairs", "--share", "1"), "such as 3/40"),
            (("freeze", "--share", "1/3"), "--faults"),
            (("freeze", "--trace", "x", "--faults", "all"), "--trace"),
            (("nofreeze",), "freeze")):
        result = simulate(*arguments)
        assert result.returncode == 2 and expected in result.stderr, \
            f"{arguments}: {result.returncode} {result.stderr}"


def test_again():
    """The command that a finding names shows it again, and the same each time"""
    again()


def test_the_same():
    """A simulation prints the same bytes each time, whatever went wrong in it"""
    is_the_same()


def test_both_families():
    """A guest with addresses of IPv4 and IPv6 goes through each tunnel, and no packet is lost"""
    tunnels = ("vxlan",) if SANITIZED else ("gre", "ipip", "vxlan")
    for tunnel in tunnels:
        for plan in ("shared-storage", "ipv6"):
            carries_both(plan, "--var", "tunnel=" + tunnel)
    carries_both("local-storage")


def test_pairs():
    """Every two faults of the plans of one node end as they must; of `snapshot`, one in eight"""
    shares = {"freeze": "1/1", "snapshot": "1/8"}
    if SANITIZED:
        del shares["snapshot"]
    for plan, share in shares.items():
        result = simulate(plan, "--faults", "pairs", "--share", share, "--json")
        end = lines_of(result)[-1]
        assert result.returncode == 0 and end["violations"] == 0, result.stdout[-2000:]
        print(f"# {plan}: {end['trials']} trials")


def test_share():
    """The shares of a campaign are together the whole, and each is another sample of it"""
    not_sanitized()
    def end_of(*share):
        return lines_of(simulate("freeze", "--faults", "pairs", "--json", *share))[-1]
    whole = end_of()
    parts = [end_of("--share", f"{part}/7") for part in range(1, 8)]
    assert whole["tried"] == whole["schedules"] > 500, whole
    assert {part["schedules"] for part in parts} == {whole["schedules"]}, parts
    assert sum(part["tried"] for part in parts) == whole["tried"], parts
    assert all(part["tried"] > whole["tried"] / 14 for part in parts), parts
    told = simulate("freeze", "--faults", "all", "--share", "2/3").stdout
    assert re.search(r"(?m)^\d+ trials for \d+ of \d+ faults", told), told


# What it ends may be faster than its answer, or be another one by then.
QUITS = """\
return plan {
  name = "quits", api = 1, summary = "Ends a QEMU in a state.",
  vars = { qmp = var.path { doc = "QMP socket of the VM." } },
  role "node" {
    state "only" { within = "5s",
      enter = function() qmp.quit() emit("node:over") end,
      on { "qmp:lost", run = function() end },
      on { "SHUTDOWN", run = function() end },
      on { "node:over", go = "done" } },
  },
}
"""


def test_quits():
    """What a state wants of a QEMU whose connection is lost is done all the same, if it lives"""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "quits.lua").write_text(QUITS, "utf-8")
        wakes = QUITS.replace("quits", "wakes").replace("qmp.quit", "qmp.wake")
        (pathlib.Path(folder) / "wakes.lua").write_text(wakes, "utf-8")
        looked, = crossings("wakes", "source, reply to query-migrate", plans=folder)
        told = simulate("wakes", "--fault", f"{looked}:closed", "--list", plans=folder)
        assert told.stdout.count("source, command query-migrate") == 2, told
        assert told.returncode == 0 and re.search("(?m)^done after", told.stdout), told
        asked, = crossings("quits", "source, command quit", plans=folder)
        answered, = crossings("quits", "source, reply to quit", plans=folder)
        for fault in (f"{asked}:lost", f"{asked}:refused", f"{answered}:closed"):
            told = simulate("quits", "--fault", fault, plans=folder)
            assert re.search("(?m)^done after", told.stdout), told
            assert "its QEMU is gone" in told.stdout and "in-time" not in told.stdout, told


def test_campaign():
    """A campaign plays each part of each plan, and its exit code says whether it found something"""
    not_sanitized()
    def campaign(*arguments):
        return subprocess.run([ROOT / "tools" / "campaign", *arguments], text=True, check=False,
                              env=dict(os.environ, KATAMARAN=os.path.abspath(KATAMARAN)),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
    good = campaign("pairs:1/50", "freeze", "snapshot", "--", "--model", "pps=1k")
    parts = re.findall(r"(?m)^== (\w+) --faults pairs --share 1/50 --model pps=1k$", good.stdout)
    assert good.returncode == 0 and sorted(parts) == ["freeze", "snapshot"], good
    with tempfile.TemporaryDirectory() as place:
        plan = mutate(MUTATIONS[0], pathlib.Path(place))
        bad = campaign("short", "freeze", str(plan))
    assert bad.returncode == 1 and "VIOLATED " + MUTATIONS[0]["invariant"] in bad.stdout, bad


def test_families():
    """A node's address of the wrong family is refused before anything is begun"""
    result = simulate("ipv6", "--var", "dest_ip=192.0.2.2")
    assert result.returncode == 2 and "an address of IPv6" in result.stderr, result.stderr


def crossings(plan, what, *arguments, plans=None):
    """The numbers of what crosses, by its words."""
    listed = simulate(plan, "--list", *arguments, plans=plans).stdout
    return [int(number) for number in re.findall(rf"(?m)^(\d+)  {what}", listed)]


def ends(plan, *faults):
    """How both sides end, with nothing violated; nothing where there can be no such fault."""
    arguments = [word for fault in faults for word in ("--fault", fault)]
    result = simulate(plan, *arguments)
    if result.returncode == 2:
        assert "strikes nothing: that is no harm to" in result.stderr, result
        return None
    assert "VIOLATED" not in result.stdout, result
    return result.stdout[result.stdout.index("\nsource: "):]


def test_schedules():
    """A thousand schedules of one to four faults of each migrating plan end as they must"""
    runs = "20" if SANITIZED else "1000"
    for plan in MIGRATING:
        result = simulate(plan, "--runs", runs, "--seed", "1", "--json")
        assert result.returncode == 0 and lines_of(result)[-1]["done"] == int(runs), \
            result.stdout[-2000:]


def test_refused_undo():
    """What the kernel refuses to take back once is taken back, by the run and by a recovery"""
    plug = crossings("shared-storage", "dest, kernel: open the plug")[0]
    told = {"no-buffers": [], "kill-dest": []}
    for behind in range(1, 10):
        for harm in ("no-permission", "no-buffers", "lost", "unheard"):
            for first, ended in told.items():
                ended.append(ends("shared-storage", f"{plug}:{first}", f"{plug + behind}:{harm}"))
    refused, killed = (list(filter(None, ended)) for ended in told.values())
    assert len(refused) > 10 and len(killed) > 10, told
    assert not any("left behind: what" in one for one in refused), refused
    assert all("dest: killed, and recovered" in one for one in killed), killed


def test_refused_opening():
    """A kernel that refuses to open the plug once delays the guest's packets, and no more"""
    opens = crossings("shared-storage", "dest, kernel: open the plug")[1]
    for harm in ("no-permission", "no-device", "busy", "no-buffers"):
        told = ends("shared-storage", f"{opens}:{harm}")
        assert re.search("(?m)^dest: done .* nothing was left behind; zero lost of", told), told
    told = ends("shared-storage", f"{opens}:no-device", f"{opens + 1}:unheard")
    assert re.search("(?m)^dest: stranded in lives", told), told
    thrice = (f"{number}:busy" for number in (opens, opens + 2, opens + 4))
    told = ends("shared-storage", *thrice)
    assert re.search("(?m)^dest: stranded in lives", told), told


# The state is late while it opens the hold, and the next one blocks it anew.
REBLOCKED = """\
return plan {
  name = "reblocked", api = 1, summary = "Opens a hold, and blocks it again.",
  vars = { qmp = var.path { doc = "QMP socket of the VM." },
           tap = var.string { doc = "Its tap." } },
  role "node" {
    state "first" { within = "10ms", late = "again", next = "again", enter = function(m)
      m.note.hold = net.hold { m.tap, rate = 20000, pause = "1s" }
      m.note.hold.block()
      m.note.hold.open()
      sleep "50ms"
    end },
    state "again" { within = "5s", next = "done", enter = function(m)
      m.note.hold.block()
      log.info("blocked again")
      sleep "1s"
      log.info("to be opened")
      m.note.hold.open()
    end },
  },
}
"""


def test_blocked_again():
    """A hold that is blocked while an opening is tried again stays blocked until it is opened"""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "reblocked.lua").write_text(REBLOCKED, "utf-8")
        listed = simulate("reblocked", "--list", plans=folder).stdout
        opens = re.search(r"(?m)^(\d+)  source, kernel: open the plug", listed[listed.index(
            "block the plug"):])[1]
        told = simulate("reblocked", "--fault", f"{opens}:busy", "--list", plans=folder).stdout
        assert told.count("source, kernel: block the plug") == 2, told
        assert told.rindex("open the plug") > told.rindex("block the plug"), told
        assert "VIOLATED" not in told, told


def test_two_late_things():
    """What a hold could not take, for two things were late, is said, and no fault of the plan"""
    found = [crossings("local-storage", "source, event " + event)[0]
             for event in ("BLOCK_JOB_COMPLETED", "MIGRATION .*\"completed\"")]
    told = ends("local-storage", *(f"{number}:late" for number in found))
    assert re.search("(?m)^dest: done .*; LOST [0-9,]+ packets: the plug of tap0_kata", told), told


def test_guest_that_nobody_has():
    """A recovery says that the guest is gone which was handed over to the run that was killed"""
    for plan in MIGRATING:
        opens = crossings(plan, "dest, kernel: open the plug")[-1]
        for first, then in (("kill-dest", "kill-dest-qemu"), ("kill-dest-qemu", "kill-dest")):
            told = ends(plan, f"{opens}:{first}", f"{opens + 1}:{then}")
            assert re.search("(?m)^dest: killed; its recovery left behind: look after the guest of "
                             "/run/dest.qmp: its QEMU is gone", told), told
        # Behind that look nobody can miss it.
        last = crossings(plan, "dest, ", "--fault", f"{opens}:kill-dest")[-1]
        told = ends(plan, f"{opens}:kill-dest", f"{last}:kill-dest-qemu")
        assert "dest: killed, and recovered" in told, told


def test_doubt():
    """Who has got the guest, or may have, and is in trouble says that a person must look"""
    for plan in ("shared-storage", "local-storage"):
        commit, = crossings(plan, "dest, journal: .*committed")
        for faults in ((f"{commit}:full", f"{commit + 40}:kill-source"),
                       (f"{commit - 1}:kill-dest-qemu", f"{commit}:kill-source")):
            assert re.search("(?m)^dest: stranded in loaded", ends(plan, *faults)), faults


def test_last_word():
    """A recovery ends no QEMU that may have the guest, and says that somebody must look"""
    for plan in MIGRATING:
        drop, loaded, commit = (crossings(plan, what)[-1] for what in (
            'dest, journal: .*"dropped"', 'dest, to the other node: .*"loaded"',
            "source, journal: .*committed"))
        for behind in range(1, 5):
            told = ends(plan, f"{drop}:full", f"{drop + behind}:kill-dest")
            assert "the guest runs here (/run/source.qmp)" in told, told
        for faults in ((f"{loaded}:kill-dest", f"{loaded + 1}:kill-source"),
                       (f"{commit + 1}:kill-source", f"{commit + 2}:kill-dest"),
                       (f"{commit}:kill-dest", f"{commit + 1}:kill-source")):
            assert "dest: killed; its recovery left behind: look after" in ends(plan, *faults)


def test_commit_that_is_not_written():
    """A commit that cannot be written down is none, and a kill behind it leaves one guest"""
    number, = crossings("shared-storage", "source, journal: .*committed")
    full = f"{number}:full"
    alone = simulate("shared-storage", "--fault", full)
    assert re.search("(?m)^source: aborted in handover.*the guest runs here", alone.stdout), alone
    assert "VIOLATED" not in alone.stdout, alone.stdout
    for behind in range(1, 21):
        kill = f"{number + behind}:kill-source"
        result = simulate("shared-storage", "--fault", full, "--fault", kill)
        assert "VIOLATED" not in result.stdout, result.stdout


def test_invariants():
    """Each invariant is told in the documents, and something breaks it"""
    code = (ROOT / "src" / "trial" / "referee.cc").read_text("utf-8")
    names = re.findall(r'(?m)^    \{"([a-z-]+)",', code)
    told = re.findall(r"(?m)^\| `([a-z-]+)` \|", (ROOT / "docs" / "PLANS.md").read_text("utf-8"))
    assert len(names) > 10 and all(name in told for name in names), (names, told)
    broken = {mutation["invariant"] for mutation in MUTATIONS}
    for name, test in BEYOND_PLANS.items():
        assert "Invariant::" + name.replace("-", "_") in test.read_text("utf-8"), name
    assert set(names) == broken | set(BEYOND_PLANS), set(names) ^ (broken | set(BEYOND_PLANS))


def test_refusals():
    """What is no fault, no model and no scope is refused, with what was expected"""
    refuses()


def claims():
    """A test for each shipped plan and each mutation."""
    found = {}
    for plan in SHIPPED:
        check = survives(plan)
        check.__doc__ = f"{plan} survives every single fault"
        found["test_survives_" + plan] = check
    for number, mutation in enumerate(MUTATIONS, 1):
        check = is_found(mutation)
        check.__doc__ = f"{mutation['plan']}: {mutation['name']}: {mutation['invariant']}"
        found[f"test_found_{number}"] = check
    return found


if __name__ == "__main__":
    tap.run({**claims(), **globals()})
