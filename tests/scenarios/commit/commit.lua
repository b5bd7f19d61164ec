-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "commit", api = 1, summary = "Commits.",
  role "node" {
    state "before" { within = "1s", next = "behind",
      enter = function(m)
        m:undo("one", function() log.error("this must not run") end)
        m:hold { what = "two", release = function() log.info("release two") end }
      end },
    state "behind" { within = "1s", commits = true,
      enter = function(m)
        m:undo("three", function() log.error("this must not run") end)
        m:hold { what = "four", release = function() log.info("release four") end }
        emit("it:works")
      end,
      on { "it:works", go = "done" } },
  },
}
