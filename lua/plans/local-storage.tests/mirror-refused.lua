-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "QEMU refuses to mirror the disk: nothing is left behind, and the guest never stood.",
  faults = { { "refused", command = "blockdev-mirror", state = "mirror" } },
  expect = {
    source = { ends = "aborted in mirror", exit = 1, why = "blockdev-mirror" },
    dest = { ends = "aborted in waiting", states = { "prepare", "listen", "exports", "waiting" } },
    guest = "source",
    dark = "0ms",
  },
}
