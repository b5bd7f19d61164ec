-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "timers", api = 1, summary = "Lives by its timers.",
  role "node" {
    state "counting" { within = "1min",
      enter = function(m)
        m.note.ticks = 0
        timer.every("100ms", "tick")
        timer.after("350ms", "enough")
        timer.after("200ms", "never")
        timer.after("1s", "moved")
        timer.after(50, "moved")
        timer.cancel("never")
        timer.cancel("unheard-of")
      end,
      on { "timer:moved", run = function() log.info("moved, at %g ms", now()) end },
      on { "timer:never", go = "abort" },
      on { "timer:tick", run = function(m)
        m.note.ticks = m.note.ticks + 1
        log.info("tick %d at %g ms", m.note.ticks, now())
      end },
      on { "timer:enough", go = "resting", run = function() timer.cancel("tick") end } },
    state "resting" { within = "1s", late = "done",
      on { "timer:tick", go = "abort" } },
  },
}
