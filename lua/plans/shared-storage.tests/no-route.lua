-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The kernel does not let packets be diverted: nothing was begun that matters.",
  faults = { { "no-permission", kernel = "route 10.1.2.3", role = "source", state = "divert" } },
  expect = {
    source = { ends = "aborted in divert", why = "EPERM" },
    guest = "source",
    lost = 0,
  },
}
