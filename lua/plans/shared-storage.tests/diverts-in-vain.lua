-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that does not stop soon once its packets are diverted may stand for longer.",
  vars = { downtime_max = "30ms", unconverged = "darker" },
  model = { ram = "128M", dirty = "3G/s", working = "100M", link = "10G", tls = "10GB/s" },
  expect = {
    source = { ends = "done", states = { "prepare", "copy", "hold", "divert", "switchover",
      "handover", "yours", "drain" } },
    dest = { ends = "done" },
    guest = "dest",
    dark = "150ms",
    lost = 0,
  },
}
