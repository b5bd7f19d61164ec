-- a misspelt word in a function is found without running it
return plan {
  name = "word-in-function", api = 1, summary = "Is broken.",
  role "node" {
    state "only" { within = "1s", next = "done",
      enter = function()
        qpm("stop")
        log.info("never")
        local helper = function() return sleeep end
        helper()
      end },
  },
}
