-- a plan of another time
return plan { name = "other-api", api = 7, summary = "Is broken.",
  role "node" { state "only" { within = "1s", next = "done" } } }
