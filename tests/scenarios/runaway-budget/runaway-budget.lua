-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-budget", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        for round = 1, 3 do
          for _ = 1, 3e6 do end
          sleep("1ms")
          log.info("round %d", round)
        end
        for _ = 1, 6e6 do end
      end },
  },
}
