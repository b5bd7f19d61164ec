-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "timers-suspended", api = 1, summary = "Sleeps while its timers run.",
  role "node" {
    state "sleeping" { within = "1min",
      enter = function()
        timer.every("30ms", "tick")
        sleep("100ms")
        log.info("awake")
        local event = wait { "timer:tick" }
        log.info("took %s", event.name)
        timer.cancel("tick")
        timer.after("10ms", "end")
      end,
      on { "timer:tick", run = function() log.info("tick at %g ms", now()) end },
      on { "timer:end", go = "done" } },
  },
}
