-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "commit-fails", api = 1, summary = "Commits and fails.",
  role "node" {
    state "before" { within = "1s", next = "behind",
      enter = function(m)
        m:undo("one", function() log.error("this must not run") end)
        m:hold { what = "two", release = function() log.error("this must not run") end }
      end },
    state "behind" { within = "1s", commits = true, next = "done",
      enter = function(m)
        m:hold { what = "three", release = function() log.error("this must not run") end }
        error("too late", 0)
      end },
  },
}
