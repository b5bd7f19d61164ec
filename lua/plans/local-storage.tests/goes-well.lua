-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The disk is copied before the RAM, and the guest moves with it.",
  model = { ram = "1G", disk = "10G", writes = 100, link = "10G" },
  expect = {
    source = {
      ends = "done",
      states = { "prepare", "mirror", "copy", "…", "equal", "switchover", "…", "drain" },
    },
    dest = {
      ends = "done",
      states = { "prepare", "listen", "exports", "waiting", "…", "alone", "…" },
    },
    guest = "dest",
    dark = "300ms",
    lost = 0,
  },
}
