-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The network is cut for good during the copy: the guest stays where it is.",
  model = { ram = "1G", link = "10G" },
  faults = { { "cut", event = "MIGRATION_PASS", role = "source" } },
  expect = {
    source = { ends = "aborted in copy", exit = 1, states = { "prepare", "copy" } },
    dest = { ends = "aborted" },
    guest = "source",
    dark = "0ms",
  },
}
