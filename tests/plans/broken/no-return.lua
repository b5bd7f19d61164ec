-- a file that returns nothing
plan { name = "no-return", api = 1, summary = "Lost.", role "node" { state "only" { within = "1s", next = "done" } } }
