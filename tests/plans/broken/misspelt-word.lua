-- a misspelt word is told with the nearest, and hides no other fault
return plan {
  name = "misspelt-word", api = 1, summary = "Is broken.",
  role "node" {
    stat "first" { within = "1s", next = "done" },
    state "second" { next = "don" },
  },
}
