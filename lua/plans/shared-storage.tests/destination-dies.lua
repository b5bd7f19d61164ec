-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The QEMU at the destination dies while the guest stands: it goes on at the source.",
  faults = { { "kill-dest-qemu", command = "migrate-continue", state = "switchover" } },
  expect = {
    source = { ends = "aborted in switchover", states = { "…", "divert", "switchover" } },
    dest = { ends = "aborted" },
    guest = "source",
  },
}
