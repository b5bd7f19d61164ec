-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "A guest that resets itself when it has come is an alarm, and stays where it is.",
  model = { survives = "no" },
  expect = {
    source = { ends = "stranded", exit = 3, states = { "…", "yours", "drain" },
      why = "has reset itself there" },
    dest = { ends = "stranded", exit = 3, states = { "…", "resume", "lives" },
      why = "do not start it at the source" },
    guest = "dest",
    lost = 0,
  },
}
