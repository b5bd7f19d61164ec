return plan { name = "wrong-parent", api = 1, summary = "Is wrong itself.", role "node" { state "only" { next = "done" } } }
