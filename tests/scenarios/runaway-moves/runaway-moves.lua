-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-moves", api = 1, summary = "Goes round.",
  role "node" {
    state "first" { within = "1s", next = "second" },
    state "second" { within = "1s", next = "third", late = "done", enter = function() end },
    state "third" { within = "1s", next = "first" },
  },
}
