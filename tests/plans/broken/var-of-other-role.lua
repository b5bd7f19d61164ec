-- a var of the other role is not there
return plan {
  name = "var-of-other-role", api = 1, summary = "Is broken.",
  vars = { to = var.ip { role = "source", doc = "Where to." } },
  role "source" { state "only" { within = "1s", next = "done", enter = function(m) log.info(m.to) end } },
  role "dest" { state "only" { within = "1s", next = "done",
    enter = function(m) log.info(m.to) end } },
}
