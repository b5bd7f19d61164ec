-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The program that should start another QEMU fails: the guest stays.",
  vars = { start = "/vm/start-qemu" },
  faults = { { "late", word = "hold" }, { "ends-badly", run = "start-qemu" } },
  expect = {
    source = { ends = "aborted in again" },
    dest = { ends = "aborted in restart" },
    guest = "source",
    lost = 0,
  },
}
