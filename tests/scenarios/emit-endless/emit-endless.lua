-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "emit-endless", api = 1, summary = "Never comes to rest.",
  role "node" {
    state "talking" { within = "1s",
      enter = function() emit("it:again") end,
      on { "it:again", run = function() emit("it:again") end },
      on { "RESUME", go = "done" } },
  },
}
