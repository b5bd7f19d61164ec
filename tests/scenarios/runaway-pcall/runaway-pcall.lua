-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-pcall", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        while true do
          pcall(function()
            while true do end
          end)
        end
      end },
  },
}
