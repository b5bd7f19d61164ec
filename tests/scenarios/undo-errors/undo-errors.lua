-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "undo-errors", api = 1, summary = "Its undos are wrong themselves.",
  role "node" {
    state "first" { within = "1s", next = "done",
      enter = function(m)
        m:undo("count", function() return 1 + m.note.nothing end)
        m:undo("loop", function() while true do end end)
        m:undo("register more", function() m:undo("the undo of the undo", function() log.info("ran") end) end)
        m:hold { what = "a broken handle", release = function() error({ what = "it is stuck" }) end }
        error("no way on", 0)
      end },
  },
}
