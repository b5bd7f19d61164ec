-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "QEMU stops the guest and does not say so: it is woken again.",
  faults = { { "lost", event = "STOP" } },
  expect = {
    node = { ends = "aborted in stopping", exit = 1, states = { "stopping" }, why = "late" },
    guest = "node",
  },
}
