-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "notes", api = 1, summary = "Remembers.",
  vars = { times = var.int { 3, doc = "How often." } },
  role "node" {
    state "first" { within = "1s",
      enter = function(m)
        m.note.seen = {}
        m:undo("tell what was seen", function() log.info("undo: %s", table.concat(m.note.seen, " "))
        end)
        for number = 1, m.times do emit("it:came", { number = number }) end
        emit("it:ended")
      end,
      on { "it:came", run = function(m, event) table.insert(m.note.seen, event.data.number) end },
      on { "it:ended", go = "second" } },
    state "second" { within = "1s", next = "done",
      enter = function(m)
        log.info("second: %s", table.concat(m.note.seen, " "))
        local ok, problem = pcall(function(key) m[key] = 1 end, "seen")
        log.info("%s: %s", ok, problem)
        ok, problem = pcall(function(key) return m[key] end, "tims")
        log.info("%s: %s", ok, problem)
        error("enough", 0)
      end },
  },
}
