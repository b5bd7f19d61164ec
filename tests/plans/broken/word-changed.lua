-- a word of the language cannot be changed
return plan {
  name = "word-changed", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function() log = nil end },
  },
}
