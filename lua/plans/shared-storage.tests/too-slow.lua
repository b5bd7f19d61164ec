-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A copy that takes longer than anybody will wait ends with the guest where it was.",
  vars = { patience = "5s" },
  model = { ram = "8G", link = "1G" },
  expect = {
    source = { ends = "aborted in copy", exit = 1, states = { "prepare", "copy" } },
    dest = { ends = "aborted in waiting" },
    guest = "source",
    dark = "0ms",
  },
}
