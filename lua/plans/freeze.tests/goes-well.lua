-- SPDX-License-Identifier: Apache-2.0
return {
  claim = "The guest stands for the pause, and runs again.",
  vars = { pause = "200ms" },
  expect = {
    node = { ends = "done", exit = 0, states = { "stopping", "frozen", "waking" } },
    guest = "node",
    total = "250ms",
  },
}
