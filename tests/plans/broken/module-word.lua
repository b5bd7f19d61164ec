-- a misspelt word in a module is found without running it
local words = require "misspelt"
return plan {
  name = "module-word", api = 1, summary = "Uses a module that is wrong.",
  role "node" { state "only" { within = "1s", next = "done", enter = words.act } },
}
