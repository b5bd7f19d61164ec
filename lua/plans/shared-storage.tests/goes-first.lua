-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that never converges goes before its RAM, and no packet is lost.",
  vars = { unconverged = "postcopy", converge = "2s" },
  model = { ram = "2G", dirty = "300M/s", working = "1G", link = "1G", pps = "20k" },
  expect = {
    source = { ends = "done", states = { "prepare", "copy", "hold", "divert", "switchover", "lend",
      "lent", "rest", "drain" } },
    dest = { ends = "done" },
    guest = "dest",
    dark = "100ms",
    lost = 0,
  },
}
