-- a state without a way out before a parent's: one fault, and not one for each state behind it
return derive "shared-storage" {
  name = "breaks-off", summary = "Is broken.",
  role "source" {
    before "copy" { state "look" { within = "5s", enter = function() end } },
  },
}
