-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A busy guest moves within seconds, and loses no packet.",
  model = { ram = "4G", dirty = "100M/s", link = "10G", pps = "20k" },
  expect = {
    source = {
      ends = "done",
      states = { "prepare", "copy", "hold", "divert", "switchover", "handover", "yours", "drain" },
    },
    dest = { ends = "done",
      states = { "prepare", "…", "loaded", "resume", "lives", "whole", "serve" } },
    guest = "dest",
    dark = "300ms",
    lost = 0,
  },
}
