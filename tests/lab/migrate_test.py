#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""migrate_test.py: a real guest moves under traffic, there and back, and loses nothing.

These are two of the combinations of tools/lab_matrix, which has them all. A machine that is busy
with other things is not fast enough for a guest in emulation, so the packets are few here.
"""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import migrations  # noqa: E402  (found through the path above)
import nodes  # noqa: E402
import tap  # noqa: E402

RATE = 500


def must_lose_nothing(cell, runs):
    """Moves a guest so often, and shows what was counted."""
    for result in migrations.run_cell(cell, RATE, runs, lambda text: print(f"# {text}")):
        print(f"# {cell}: " + ", ".join(f"{name} {value}" for name, value in result.items()
                                        if name != "faults"), flush=True)
        assert not result["faults"], "\n".join(result["faults"])


def test_local_storage():
    """A guest of both families moves with its disk, there and back, and nothing is lost"""
    must_lose_nothing("local/vxlan/dual/ring", 2)


def test_shared_storage():
    """A guest of both families moves on a shared disk, held by all that this kernel has"""
    kinds = {"plug": ("qdisc plug limit 100000",), "ipip and gre": ("ipip", "gre")}
    lacking = [what for what, words in kinds.items() if not nodes.has_kinds(*words)]
    tap.lacks(*lacking)
    must_lose_nothing(f"shared/{'vxlan' if 'ipip and gre' in lacking else 'ipip'}/dual/"
                      f"{'ring' if 'plug' in lacking else 'plug'}", 1)


if __name__ == "__main__":
    tap.run(globals())
