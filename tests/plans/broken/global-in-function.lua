-- an assignment to a global is found without running it
return plan {
  name = "global-in-function", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        count = 1
        m.note.count = count
      end },
  },
}
