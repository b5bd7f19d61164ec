-- a plan without name, api and summary
return plan { role "node" { state "only" { within = "1s", next = "done" } } }
