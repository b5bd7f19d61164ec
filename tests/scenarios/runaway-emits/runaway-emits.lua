-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-emits", api = 1, summary = "Goes round by its own events.",
  role "node" {
    state "first" { within = "1s",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        emit("it:goes")
      end,
      on { "it:goes", go = "second" } },
    state "second" { within = "1s",
      enter = function() emit("it:goes") end,
      on { "it:goes", go = "first" },
      on { "RESUME", go = "done" } },
  },
}
