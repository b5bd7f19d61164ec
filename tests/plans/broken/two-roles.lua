-- two roles of one name
return plan { name = "two-roles", api = 1, summary = "Is broken.",
  role "node" { state "only" { within = "1s", next = "done" } },
  role "node" { state "only" { within = "1s", next = "done" } } }
