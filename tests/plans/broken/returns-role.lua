-- a role alone
return role "node" { state "only" { within = "1s", next = "done" } }
