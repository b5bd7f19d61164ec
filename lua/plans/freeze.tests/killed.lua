-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "Katamaran is killed while the guest stands: a recovery wakes it.",
  faults = { { "kill-source", event = "STOP" } },
  expect = { node = { ends = "killed", states = { "stopping" } }, guest = "node" },
}
