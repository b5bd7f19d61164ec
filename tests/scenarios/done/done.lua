-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "done", api = 1, summary = "All goes well.",
  role "node" {
    state "first" { within = "1s", next = "done",
      enter = function(m)
        m:hold { what = "one", release = function() log.info("release one") end }
        m:undo("two", function() log.error("this must not run") end)
        m:hold { what = "three", release = function() sleep("1ms") log.info("release three") end }
        m:undo("four", function() log.error("this must not run") end)
      end },
  },
}
