-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "sleep", api = 1, summary = "Sleeps.",
  role "node" {
    state "sleeping" { within = "1min", next = "done",
      enter = function()
        for _, pause in ipairs { "1.5s", 250, "10us", 0 } do
          sleep(pause)
          log.info("%g ms", now())
        end
        for _, wrong in ipairs { "5", "soon", -1, false, "1e3s", 1 / 0 } do
          local ok, problem = pcall(sleep, wrong)
          log.info("%s: %s", ok, problem)
        end
        sleep()
      end },
  },
}
