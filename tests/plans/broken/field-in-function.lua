-- a misspelt field of a word is found without running it
return plan {
  name = "field-in-function", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function(m)
        qmp.enabel("events")
        timer.evry("1s", "tick")
        log.warning("odd")
        string.trim("x")
        m:undoo("x", function() end)
      end },
  },
}
