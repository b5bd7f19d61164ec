-- a state that neither waits nor goes on
return plan {
  name = "neither-waits", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = "1s", next = "second" },
    state "second" { within = "1s", enter = function() end },
  },
}
