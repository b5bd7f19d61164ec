-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "runaway-recursion", api = 1, summary = "Wants too much.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        m:undo("say so", function() log.info("undone") end)
        local function deeper(number) return 1 + deeper(number + 1) end
        deeper(1)
      end },
  },
}
