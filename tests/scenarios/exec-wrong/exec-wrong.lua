-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "exec-wrong", api = 1, summary = "Runs programs.",
  role "node" {
    state "only" { within = "1min", next = "done",
      enter = function(m)
        for _, wrong in ipairs { "ip link", {}, { "" }, { "ip", false }, { "ip", "a\0b" }, { "ip", input = "x" } } do
          local ok, problem = pcall(exec, wrong)
          log.info("%s: %s", ok, problem)
        end
        exec { "ip", undo = "down" }
      end },
  },
}
