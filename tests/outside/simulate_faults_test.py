# SPDX-License-Identifier: Apache-2.0
"""simulate_faults_test.py: what `katamaran simulate` says of faults, and of what was found."""
import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "harness"))

import tap  # noqa: E402

KATAMARAN = os.environ["KATAMARAN"]
ENVIRONMENT = dict(os.environ, KATAMARAN_LUA=str(ROOT / "lua"),
                   KATAMARAN_PLAN_PATH=str(ROOT / "lua" / "plans"))
LIMIT_S = 120
# Its undo is a function, and dies with its process.
FRAIL = """return plan {
  name = "frail", api = 1, summary = "Stops the guest for a second.",
  vars = { qmp = var.path { doc = "QMP socket of the VM." } },
  role "node" {
    state "frozen" { within = "5s", next = "done",
      enter = function(m)
        m:undo("wake the guest", function() qmp("cont") end)
        qmp("stop")
        sleep("1s")
        qmp("cont")
      end },
  },
}
"""

# A word to the other node with a secret in it.
TELLING = """return plan {
  name = "telling", api = 1, summary = "Says a secret.",
  vars = { qmp = var.path { doc = "QMP socket." }, key = var.secret { doc = "A secret." },
    dest_ip = var.ip { role = "source", doc = "The one." },
    listen_ip = var.ip { role = "dest", doc = "The other." } },
  role "source" { peer_to = var "dest_ip",
    state "one" { within = "5s", next = "done",
      enter = function(m) peer.send("told", { key = m.key }) end } },
  role "dest" { peer_from = var "listen_ip",
    state "one" { within = "5s", on { "peer:told", go = "done" } } },
}
"""


def simulate(*words):
    return subprocess.run([KATAMARAN, "simulate", *words], env=ENVIRONMENT, text=True, check=False,
                          timeout=LIMIT_S, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def lines_of(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def number_of(plan, pattern):
    """The first crossing of a plan that looks so."""
    found = re.search(rf"(?m)^(\d+)  {pattern}", simulate(plan, "--list").stdout)
    assert found, (plan, pattern)
    return int(found[1])


def frail(folder):
    path = pathlib.Path(folder) / "frail.lua"
    path.write_text(FRAIL, "utf-8")
    return str(path)


def test_secret():
    """A secret in what crosses is hidden in the list, and where a fault is refused there"""
    with tempfile.TemporaryDirectory() as folder:
        plan, key = pathlib.Path(folder) / "telling.lua", pathlib.Path(folder) / "key"
        plan.write_text(TELLING, "utf-8")
        key.write_text("the-secret-of-all\n", "utf-8")
        words = (str(plan), "--var", f"key=@{key}")
        for more in ((), ("--json",)):
            listed = simulate(*words, "--list", *more).stdout
            assert "told" in listed and "secret-of" not in listed, listed
        number = re.search(r'(?m)^(\d+)  source, to the other node: .*"told"',
                           simulate(*words, "--list").stdout)[1]
        result = simulate(*words, "--fault", f"{number}:full")
        assert result.returncode == 2 and '"told"' in result.stderr, result
        assert "secret-of" not in result.stderr, result.stderr


def test_unfit():
    """A fault that strikes nothing is refused, with what crosses there and what can happen to it"""
    stop = number_of("freeze", "source, command stop")
    for words, parts in (
            ([f"{stop}:full"], ("source, command stop", "refused, lost, kill-source-qemu")),
            (["9999:lost"], ("only", "crossings")),
            ([f"{stop}:lost", f"{stop}:refused"], ("another fault",))):
        faults = [word for fault in words for word in ("--fault", fault)]
        for more in ((), ("--json",)):
            result = simulate("freeze", *faults, *more)
            assert result.returncode == 2 and result.stdout == "", result
            assert all(part in result.stderr for part in (words[-1], "strikes nothing", *parts)), \
                result.stderr


def test_guest_that_stood():
    """How long a guest stood is told of one that goes on, and of a plan that has a guest"""
    frozen = simulate("freeze").stdout
    assert re.search(r"(?m)^ *guest stood +\d", frozen), frozen
    left = simulate("freeze", "--fault", "7:kill-source-qemu").stdout
    assert re.search(r"(?m)^ *guest stood +to the end: it does not run any more$", left), left
    assert "guest stood" not in simulate("host").stdout


def test_empty_share():
    """A share in which there is nothing is not called a success"""
    empty = simulate("freeze", "--faults", "all", "--share", "1/100000").stdout
    assert "this share is empty" in empty and "as it must" not in empty, empty


def test_one_role():
    """What needs another node is refused at a plan of one role, and none of it is listed"""
    for harm in ("cut", "cut-short", "kill-dest", "kill-dest-qemu", "stop-dest"):
        result = simulate("freeze", "--fault", "3:" + harm)
        assert result.returncode == 2 and "one role" in result.stderr, (harm, result)
        assert harm not in simulate("freeze", "--list", "--json").stdout


def test_gone():
    """That a fault before has ended whom another one was to strike is told, and no error"""
    copy = number_of("shared-storage", "source, event MIGRATION_PASS")
    for first, second in (("kill-dest", "stop-dest"), ("kill-dest-qemu", "kill-dest-qemu"),
                          ("cut", "cut-short")):
        later = f"{copy + 4}:{second}"
        result = simulate("shared-storage", "--fault", f"{copy}:{first}", "--fault", later)
        assert result.returncode != 2 and result.stdout, (first, result)
        assert f"{later} found nobody to strike" in result.stderr, (first, result.stderr)


def test_ended_before():
    """A fault that another one has made impossible is told in a line, and is no error"""
    stop = number_of("freeze", "source, command stop")
    result = simulate("freeze", "--fault", "3:refused", "--fault", f"{stop}:lost")
    assert result.returncode == 1 and "aborted in stopping" in result.stdout, result
    assert f"{stop}:lost did not come to pass" in result.stderr, result.stderr


def test_side():
    """What happens to the destination stands at the destination"""
    copy = number_of("shared-storage", "source, event MIGRATION_PASS")
    result = simulate("shared-storage", "--fault", f"{copy}:kill-dest-qemu")
    assert re.search(r"(?m)^ +\S+ m?s  dest +the QEMU at the destination is killed",
                     result.stdout), result.stdout


def test_list_json():
    """--list --json has an object for each crossing, and every harm that it names can strike"""
    lines = lines_of(simulate("snapshot", "--list", "--json"))
    crossings = [line for line in lines if line["kind"] == "crossing"]
    assert [line["at"] for line in crossings] == list(range(1, lines[-1]["crossings"] + 1))
    one = next(line for line in crossings if line["text"] == "migrate")
    assert (one["side"], one["channel"]) == ("source", "command"), one
    assert one["harms"][:2] == ["refused", "lost"], one
    for line in crossings[::7]:
        for harm in line["harms"]:
            result = simulate("snapshot", "--fault", f"{line['at']}:{harm}")
            assert result.returncode != 2, (line, harm, result.stderr)


def test_too_late():
    """What comes when the plan has gone on without it is heard by nobody, and breaks nothing"""
    number = number_of("freeze", "source, reply to stop")
    result = simulate("freeze", "--fault", f"{number}:too-late")
    assert result.returncode == 1 and "longer than 5 s" in result.stdout, result
    assert "the guest runs here" in result.stdout and "VIOLATED" not in result.stdout, result
    number = number_of("shared-storage", "dest, to the other node: .*resumed")
    result = simulate("shared-storage", "--fault", f"{number}:too-late")
    assert "VIOLATED" not in result.stdout and "dest: done" in result.stdout, result


def test_picture():
    """A picture of a trial shows how many packets were held, as the forecast says it"""
    with tempfile.TemporaryDirectory() as folder:
        stop = number_of("shared-storage", "source, event STOP")
        for number, faults in enumerate(((), ("--fault", f"{stop}:late"))):
            picture = pathlib.Path(folder) / f"{number}.txt"
            told = simulate("shared-storage", *faults, "--timeline", str(picture)).stdout
            most = re.search(r"(?m)^  held at most +(\d+) packets", told)[1]
            drawn = picture.read_text("utf-8")
            assert int(most) > 0 and f"up to {most} packets held" in drawn, (most, drawn)
            assert re.search(rf"packets at dest +held at \w+, at most {most} packets", drawn), drawn


def test_model_help():
    """--help names each key of the model, and the model takes what stands there"""
    text = subprocess.run([KATAMARAN, "simulate", "--help"], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    table = text[text.index("Keys of --model:"):text.index("Units of memory")]
    rows = re.findall(r"(?m)^  (\w+) +(\S+) +(\S+)? +\S", table)[1:]
    assert len(rows) == 16, table
    alone = simulate("freeze").stdout
    for name, example, preset in rows:
        assert simulate("freeze", "--model", f"{name}={example}").returncode == 0, name
        if re.fullmatch(r"[0-9]\S*|yes", preset):
            assert simulate("freeze", "--model", f"{name}={preset}").stdout == alone, name


def test_model():
    """The order of keys is nothing; one that is given twice is refused, and so is what cannot be"""
    for words in ("working=512M,ram=256M", "ram=256M,working=512M"):
        result = simulate("freeze", "--model", words)
        assert result.returncode == 2 and "working is more than ram" in result.stderr, result
    result = simulate("freeze", "--model", "ram=1G,dirty=1M/s,ram=2G")
    assert result.returncode == 2 and "ram is given twice" in result.stderr, result
    assert simulate("freeze", "--model", "dirty=0,working=512M,ram=1G").returncode == 0


def test_random():
    """Faults of random schedules strike; each finding names those alone, and is shown again"""
    with tempfile.TemporaryDirectory() as folder:
        plan = frail(folder)
        result = simulate(plan, "--runs", "60", "--seed", "3", "--json")
        assert result.returncode == 1, result
        lines = lines_of(result)
        found = [line for line in lines if line["kind"] == "violation"]
        assert found and lines[-1]["trials"] > 60, lines
        for line in found:
            words = line["again"].split()[2:]
            again = simulate(*words)
            assert again.returncode == 3 and again.stderr == "", (words, again)
            assert "VIOLATED " + line["invariant"] in again.stdout, (words, again)
            assert [words[at + 1] for at, word in enumerate(words) if word == "--fault"] == \
                line["faults"], line
        assert simulate(plan, "--runs", "60", "--seed", "3", "--json").stdout == result.stdout


def test_as_found():
    """What is found is told at once, with the command that shows it again; at the end how often"""
    with tempfile.TemporaryDirectory() as folder:
        plan = frail(folder)
        lines = lines_of(simulate(plan, "--faults", "all", "--json"))
        assert lines[0]["kind"] == "violation" and lines[0]["again"].endswith(
            f"{plan} --fault {lines[0]['faults'][0]}"), lines
        end = lines[-1]
        assert end["found"][0]["trials"] == end["violations"] > 1, end
        assert (end["interrupted"], end["done"]) == (False, end["of"]), end
        text = simulate(plan, "--faults", "all").stdout
        assert f"and in {end['violations'] - 1} further trials stays-at-home" in text, text


def interrupted(kill, *words):
    """A campaign that is interrupted when it has told something or a second has passed."""
    with subprocess.Popen([KATAMARAN, "simulate", *words], env=ENVIRONMENT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        time.sleep(1)
        running.send_signal(kill)
        out, err = running.communicate(timeout=LIMIT_S)
        return running.returncode, out, err


def test_interrupted():
    """SIGINT and SIGTERM end a campaign with what was found so far, and exit code 130"""
    code, out, err = interrupted(signal.SIGINT, "local-storage", "--runs", "10000000")
    assert code == 130 and err == "", (code, out, err)
    assert re.search(r"(?m)^interrupted after \d+ of 10000000 schedules, \d+ trials: .* so far\n\Z",
                     out), out
    code, out, err = interrupted(signal.SIGTERM, "shared-storage", "--faults", "pairs", "--json")
    end = json.loads(out.splitlines()[-1])
    assert code == 130 and err == "" and end["interrupted"] and end["done"] < end["of"], (out, err)
    code, out, err = interrupted(signal.SIGINT, "shared-storage", "--faults", "pairs")
    assert code == 130 and re.search(r"interrupted after \d+ trials, behind \d+ of \d+ first "
                                     "faults", out), out


def test_progress():
    """On a terminal a campaign shows how far it is, once it has taken two seconds"""
    ours, theirs = pty.openpty()
    with subprocess.Popen([KATAMARAN, "simulate", "local-storage", "--runs", "10000000"],
                          env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=theirs) as running:
        os.close(theirs)
        time.sleep(3.5)
        running.send_signal(signal.SIGINT)
        out = running.communicate(timeout=LIMIT_S)[0].decode()
    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert re.search(r"\r\x1b\[K  … \d+ of 10000000", shown), shown
    assert " of 10000000 schedules" in out and "\x1b" not in out, out


if __name__ == "__main__":
    tap.run(globals())
