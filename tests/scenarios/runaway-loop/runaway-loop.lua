-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-loop", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        local number = 0
        while true do
          number = number + 1
        end
      end },
  },
}
