-- SPDX-License-Identifier: Apache-2.0
return plan {
  name = "body-error-odd", api = 1, summary = "Raises what is no error.",
  role "node" {
    state "first" { within = "1s", next = "second",
      enter = function(m)
        m:undo("raise a number", function() error(42) end)
        m:undo("raise nothing", function() error() end)
        m:undo("raise a function", function() error(function() end) end)
        m:undo("raise an empty table", function() error {} end)
      end },
    state "second" { within = "1s", next = "done", enter = function() error(true) end },
  },
}
