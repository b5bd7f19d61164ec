-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "QEMU is at its end before the packets are diverted: it is all done once more.",
  vars = { start = "/vm/start-qemu" },
  faults = { { "late", word = "holds" } },
  expect = {
    source = { ends = "done", states = { "prepare", "copy", "hold", "back", "again", "copy",
      "hold", "divert", "switchover", "handover", "yours", "drain" } },
    dest = { ends = "done", states = { "prepare", "listen", "waiting", "holding", "anew",
      "restart", "listen", "waiting", "holding", "loaded", "resume", "lives", "whole", "serve" } },
    guest = "dest",
    lost = 0,
  },
}
