-- a misspelt var is found without running it
return plan {
  name = "var-in-function", api = 1, summary = "Is broken.",
  vars = {
    patience = var.duration { "1s", doc = "How long." },
  },
  role "node" {
    state "only" { within = "1s",
      enter = function(m)
        log.info("%s", m.patiance)
      end,
      on { "STOP", go = "done", run = function(m, event) m.note.x = m.elephant .. event.name end } },
  },
}
