-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A QEMU that dies when its guest has just come is an alarm at both nodes.",
  faults = { { "kill-dest-qemu", role = "dest", state = "lives" } },
  expect = {
    source = { ends = "stranded", exit = 3, why = "is gone with its QEMU" },
    dest = { ends = "stranded", exit = 3, states = { "…", "lives" } },
    guest = "nowhere",
  },
}
