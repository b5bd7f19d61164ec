-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "undo-order", api = 1, summary = "Registers, and aborts.",
  role "node" {
    state "first" { within = "1s", next = "second",
      enter = function(m)
        m:undo("one", function() log.info("undo one") end)
        m:hold { what = "two", release = function(handle) log.info("release %s", handle.what) end }
      end },
    state "second" { within = "1s",
      enter = function(m)
        m:undo("three", function() sleep("10ms") log.info("undo three") end)
        m:hold { what = "four", release = function() sleep("20ms") log.info("release four") end }
        m:undo("five", function() log.info("undo five") end)
        emit("it:breaks")
      end,
      on { "it:breaks", go = "abort" },
      on { "RESUME", go = "done" } },
  },
}
