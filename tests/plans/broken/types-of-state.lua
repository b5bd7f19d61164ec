-- each key of a state has a type
return plan {
  name = "types-of-state", api = 1, summary = "Is broken.",
  role "node" {
    state "first" { within = 5, next = "second", enter = "function" },
    state "second" { within = "5", late = true, next = function() end },
    state "third" { within = {}, commits = "yes", next = "" },
    state "fourth" { within = function() end, next = 1, enter = log.info },
  },
}
