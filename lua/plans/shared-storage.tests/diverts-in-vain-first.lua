-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that does not stop soon once its packets are diverted may go before its RAM.",
  vars = { downtime_max = "30ms", unconverged = "postcopy" },
  model = { ram = "128M", dirty = "3G/s", working = "100M", link = "10G", tls = "10GB/s" },
  expect = {
    source = { ends = "done", states = { "prepare", "copy", "hold", "divert", "switchover", "lend",
      "lent", "rest", "drain" } },
    dest = { ends = "done" },
    guest = "dest",
    dark = "100ms",
    lost = 0,
  },
}
